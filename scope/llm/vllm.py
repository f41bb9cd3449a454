"""vLLM in process: the same questions without a server, for whoever has the GPU in this machine.

Its answers are held to the schema while they are written. A deadline cannot cut it off; the longest answer bounds it.
"""

import time
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from scope.errors import LanguageError, PluginError
from scope.llm.chat import ALTERNATIVES, Answer, Turn, ceiling, converse, is_choice, turns
from scope.llm.settings import LanguageSettings
from scope.protocols import Message, Reply
from scope.text import excerpt

if TYPE_CHECKING:
    from PIL.Image import Image


class VllmModel:
    """A `LanguageModel` over `vllm.LLM`, which is loaded when it is first asked."""

    name = "vllm"

    def __init__(self, settings: LanguageSettings, **engine: Any) -> None:
        """Use the model that `settings` names; `engine` are further arguments of `vllm.LLM`, such as max_model_len.

        Raises: UsageError if no model is named; PluginError if vllm is not installed.
        """
        settings.check(self.name)
        if find_spec("vllm") is None:
            raise PluginError("language 'vllm' needs the package vllm: pip install 'scope-t2i[vllm]'")
        self.settings = settings
        self.version = settings.model
        self._arguments = engine

    @property
    def ceiling(self) -> float:
        """Return what one call costs at most."""
        return ceiling(self.settings)

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence["Image"] = ()) -> Reply:
        """Return an object that obeys `schema`.

        Raises: LanguageError if the model cannot be loaded or gives no such answer.
        """
        began = time.monotonic()
        reply = converse(lambda asked: self._ask(asked, schema), turns(messages, images), schema, self.settings)
        return reply.model_copy(update={"seconds": time.monotonic() - began})

    def _ask(self, conversation: list[Turn], schema: dict[str, Any]) -> Answer:
        from vllm import SamplingParams
        from vllm.sampling_params import StructuredOutputsParams

        sampling = SamplingParams(
            temperature=0,
            seed=0,
            max_tokens=self.settings.tokens,
            logprobs=ALTERNATIVES if is_choice(schema) else None,
            structured_outputs=StructuredOutputsParams(json=schema),
        )
        try:
            [result] = self._engine.chat([conversation], sampling, use_tqdm=False)
        except Exception as error:  # whatever its engine raises, there is no answer
            why = f"{type(error).__name__}: {excerpt(error)}"
            raise LanguageError(f"vllm with {self.version} failed: {why}") from error
        output = result.outputs[0]
        alternatives = [{t.decoded_token: t.logprob for t in position.values()} for position in output.logprobs or ()]
        return Answer(
            text=output.text,
            finish=output.finish_reason,
            tokens=(len(result.prompt_token_ids or ()), len(output.token_ids)),
            logprobs=tuple(
                (position[token].decoded_token or "", others)
                for token, position, others in zip(output.token_ids, output.logprobs or (), alternatives, strict=False)
            ),
        )

    @cached_property
    def _engine(self) -> Any:
        from vllm import LLM

        return LLM(model=self.settings.model, seed=0, **self._arguments)


def load() -> VllmModel:
    """Return the model that SCOPE_LANGUAGE_MODEL names.

    Raises: UsageError, PluginError.
    """
    return VllmModel(LanguageSettings.load())
