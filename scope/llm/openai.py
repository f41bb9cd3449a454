"""Any server that speaks OpenAI's chat completions with JSON schemas: vLLM first, llama.cpp, hosted ones.

A question has one deadline, which also holds for re-asking where an answer is not usable.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, ValidationError

from scope.errors import LanguageError, ServiceError
from scope.llm.chat import ALTERNATIVES, Answer, Turn, Unusable, ceiling, converse, is_choice, turns
from scope.llm.settings import LanguageSettings
from scope.net.endpoint import Endpoint, Service
from scope.net.redaction import Redaction
from scope.protocols import Message, Reply

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_TOKENS = 10_000_000  # what no model reads or writes at once

_ADVICE = {
    401: "Is SCOPE_LANGUAGE_KEY right?",
    403: "Is SCOPE_LANGUAGE_KEY right?",
    404: "Does the address end as the server wants it, mostly in /v1, and is SCOPE_LANGUAGE_MODEL served?",
}


class OpenAIModel:
    """A `LanguageModel` behind one or several servers."""

    name = "openai"

    def __init__(self, settings: LanguageSettings) -> None:
        """Speak to the servers of `settings`.

        Raises: UsageError if it names no server or no model.
        """
        settings.check(self.name)
        self.settings = settings
        self.version = settings.model
        endpoints = [Endpoint(url, settings.key, _ADVICE) for url in settings.url]
        self._redact = Redaction(settings.key)
        self._service = Service(endpoints, settings.timeout)

    @property
    def ceiling(self) -> float:
        """Return what one call costs at most."""
        return ceiling(self.settings)

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence["Image"] = ()) -> Reply:
        """Return an object that obeys `schema`, without the key in it, should the server repeat that.

        Raises: LanguageError if no such answer could be had within the deadline.
        """
        began = time.monotonic()

        def ask(conversation: list[Turn]) -> Answer:
            seconds = self.settings.deadline - (time.monotonic() - began)
            answer = _answer(self._post(self._payload(conversation, schema), seconds))
            return replace(answer, text=self._redact(answer.text), finish=self._redact(answer.finish or ""))

        try:
            reply = converse(ask, turns(messages, images), schema, self.settings)
        except LanguageError as error:
            raise LanguageError(self._redact(str(error))) from None
        shown = {"data": self._redact.plain(reply.data), "probabilities": self._redact.plain(reply.probabilities)}
        return reply.model_copy(update=shown | {"seconds": time.monotonic() - began})

    def _post(self, payload: dict[str, Any], seconds: float) -> bytes:
        try:
            return self._service.post("/chat/completions", payload, seconds)
        except TimeoutError:
            raise LanguageError(
                f"{self.version} gave no answer within {self.settings.deadline:g} s; "
                "allow more with SCOPE_LANGUAGE_DEADLINE"
            ) from None
        except ServiceError as error:
            raise LanguageError(str(error)) from error

    def _payload(self, conversation: list[Turn], schema: dict[str, Any]) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self.settings.model,
            "messages": conversation,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
            "max_tokens": self.settings.tokens,
            "temperature": 0,
            "seed": 0,
        }
        return payload | ({"logprobs": True, "top_logprobs": ALTERNATIVES} if is_choice(schema) else {})


# -- the envelope of an answer -------------------------------------------------------------------


class _TopLogprob(BaseModel):
    token: str
    logprob: float


class _Token(BaseModel):
    token: str
    top_logprobs: list[_TopLogprob] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Content(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Content
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int = Field(strict=True, ge=1, le=_MOST_TOKENS)
    completion_tokens: int = Field(strict=True, ge=1, le=_MOST_TOKENS)


class _Completion(BaseModel):
    choices: tuple[_Choice]  # one was asked for
    usage: Any = None  # what it says of this is looked at apart: an answer counts without it


def _answer(body: bytes) -> Answer:
    """Return what the body of a chat completion says.

    Raises: Unusable if it is none.
    """
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        raise Unusable("the server's reply is not one chat completion") from None
    (choice,) = completion.choices
    tokens = (choice.logprobs.content if choice.logprobs is not None else None) or []
    return Answer(
        text=choice.message.content or "",
        finish=choice.finish_reason,
        tokens=_tokens(completion.usage),
        logprobs=tuple((t.token, {top.token: top.logprob for top in t.top_logprobs}) for t in tokens),
    )


def _tokens(usage: Any) -> tuple[int, int] | None:
    """Return the tokens read and written that a server tells; None: it tells none, or no numbers of them."""
    try:
        told = _Usage.model_validate(usage)
    except ValidationError:
        return None
    return told.prompt_tokens, told.completion_tokens


def load() -> OpenAIModel:
    """Return the model that SCOPE_LANGUAGE_URL and SCOPE_LANGUAGE_MODEL name.

    Raises: UsageError if they name none.
    """
    return OpenAIModel(LanguageSettings.load())
