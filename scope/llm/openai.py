"""Any server that speaks OpenAI's chat completions with JSON schemas: vLLM first, llama.cpp, hosted ones.

A question has one deadline, which holds for all that is done about it: retries of what may pass (429, 5xx, timeouts,
broken connections), the other servers, and re-asking where an answer is not usable.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine, Sequence
from functools import cache, cached_property
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from scope.errors import LanguageError, UsageError
from scope.llm.chat import ALTERNATIVES, Answer, Turn, Unusable, ceiling, closed, converse, turns
from scope.llm.settings import LanguageSettings
from scope.net.endpoint import CONNECT_SECONDS, Endpoint, Fault
from scope.protocols import Message, Reply

if TYPE_CHECKING:
    from PIL.Image import Image

ATTEMPTS: Final = 4

T = TypeVar("T")

_jitter = wait_random_exponential(multiplier=0.5, max=8)  # seconds


class OpenAIModel:
    """A `LanguageModel` behind one or several servers; the one with the fewest failures is asked first."""

    name = "openai"

    def __init__(self, settings: LanguageSettings) -> None:
        """Speak to the servers of `settings`.

        Raises: UsageError if it names no server or no model.
        """
        for field in ("url", "model"):
            if not getattr(settings, field):
                raise UsageError(f"no language model is configured: set SCOPE_LANGUAGE_{field.upper()}")
        self.settings = settings
        self.version = settings.model
        self.endpoints = tuple(Endpoint(url, settings.key) for url in settings.url)

    @property
    def ceiling(self) -> float:
        """Return what one call costs at most."""
        return ceiling(self.settings)

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence["Image"] = ()) -> Reply:
        """Return an object that obeys `schema`.

        Raises: LanguageError if no such answer could be had within the deadline.
        """
        began = time.monotonic()

        def ask(said: list[Turn]) -> Answer:
            left = self.settings.deadline - (time.monotonic() - began)
            return _answer(_wait(self._post(self._payload(said, schema), left)))

        reply = converse(ask, turns(messages, images), schema, self.settings)
        return reply.model_copy(update={"seconds": time.monotonic() - began})

    def _payload(self, said: list[Turn], schema: dict[str, Any]) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "model": self.settings.model,
            "messages": said,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": schema, "strict": True},
            },
            "max_tokens": self.settings.tokens,
            "temperature": 0,
            "seed": 0,
        }
        return payload | ({"logprobs": True, "top_logprobs": ALTERNATIVES} if closed(schema) else {})

    async def _post(self, payload: dict[str, Any], left: float) -> bytes:
        """Return the body of a server's answer, had within `left` seconds."""
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.again),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(left),
            wait=_pause,
            reraise=True,
        )
        timeout = httpx.Timeout(self.settings.timeout, connect=CONNECT_SECONDS)
        try:
            async with asyncio.timeout(left), httpx.AsyncClient(timeout=timeout, verify=self._trust) as client:
                return await retrying(self._anywhere, client, payload)
        except TimeoutError:
            raise LanguageError(
                f"{self.version} gave no answer within {self.settings.deadline:g} s; "
                "allow more with SCOPE_LANGUAGE_DEADLINE"
            ) from None

    async def _anywhere(self, client: httpx.AsyncClient, payload: dict[str, Any]) -> bytes:
        """Ask one server after another until one answers.

        Raises: the latest fault, or LanguageError if all are left alone for a while.
        """
        fault: Fault | None = None
        for endpoint in sorted(self.endpoints, key=lambda e: e.breaker.failures):
            if endpoint.breaker.allows():
                try:
                    return await endpoint.post(client, payload)
                except Fault as error:
                    fault = error
        if fault is None:
            last = " | ".join(e.breaker.last for e in self.endpoints)
            raise LanguageError(f"no server is asked for a while, because each failed several times: {last}")
        raise fault

    @cached_property
    def _trust(self) -> SSLContext:
        return httpx.create_ssl_context()


def _pause(state: RetryCallState) -> float:
    """Return the seconds before another attempt: as many as the server asked for, else growing ones with jitter."""
    error = state.outcome.exception() if state.outcome is not None else None
    return error.wait if isinstance(error, Fault) and error.wait is not None else _jitter(state)


# -- the thread in which it waits ----------------------------------------------------------------


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return an event loop in a thread of its own: only there can a deadline cut off a read, whoever calls."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="scope-language", daemon=True).start()
    return loop


def _wait(work: Coroutine[Any, Any, T]) -> T:
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    finally:
        future.cancel()  # matters only where Ctrl-C ends the waiting


# -- the envelope of an answer -------------------------------------------------------------------


class _Likely(BaseModel):
    token: str
    logprob: float


class _Token(BaseModel):
    token: str
    top_logprobs: list[_Likely] = []


class _Logprobs(BaseModel):
    content: list[_Token] | None = None


class _Said(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(BaseModel):
    choices: tuple[_Choice]  # one was asked for
    usage: _Usage | None = None


def _answer(body: bytes) -> Answer:
    """Return what the body of a chat completion says.

    Raises: Unusable if it is none.
    """
    try:
        completion = _Completion.model_validate_json(body)
    except ValidationError:
        raise Unusable("the server's reply is not one chat completion") from None
    (choice,), usage = completion.choices, completion.usage or _Usage()
    tokens = (choice.logprobs.content if choice.logprobs is not None else None) or []
    return Answer(
        text=choice.message.content or "",
        finish=choice.finish_reason,
        tokens_in=usage.prompt_tokens,
        tokens_out=usage.completion_tokens,
        pieces=tuple((t.token, {likely.token: likely.logprob for likely in t.top_logprobs}) for t in tokens),
    )


def load() -> OpenAIModel:
    """Return the model that SCOPE_LANGUAGE_URL and SCOPE_LANGUAGE_MODEL name.

    Raises: UsageError if they name none.
    """
    return OpenAIModel(LanguageSettings.load())
