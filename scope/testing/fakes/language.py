"""A language model that gives the answers of its script."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from PIL.Image import Image

from scope.protocols import Message, Reply
from scope.testing.fakes.delay import wait


class Call(NamedTuple):
    """One question to a language model."""

    messages: tuple[Message, ...]
    schema: dict[str, Any]
    images: tuple[Image, ...]


#: What is answered: an object, a whole `Reply` with its tokens and probabilities, or an exception that is raised.
Answer = Mapping[str, Any] | Reply | BaseException


@dataclass
class FakeLanguageModel:
    """Gives its replies in turn, whatever it is asked; the last repeats. One may be a function of the call.

    It does not look at the schema, so replies may disobey it. `cost` (in the currency of `ceiling`) is that of each
    object; a `Reply` brings its own. `delay` is in seconds per call; `calls` keeps what was asked.
    """

    replies: Sequence[Answer | Callable[[Call], Answer]]
    name: str = "fake"
    version: str = "1"
    ceiling: float = 0.0
    cost: float = 0.0
    delay: float = 0.0
    calls: list[Call] = field(default_factory=list)

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence[Image] = ()) -> Reply:
        """Return the next reply.

        Raises: whatever exception stands in its place.
        """
        call = Call(tuple(messages), schema, tuple(images))
        self.calls.append(call)
        wait(self.delay)
        reply = self.replies[min(len(self.calls), len(self.replies)) - 1]
        answer = reply(call) if callable(reply) else reply
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, Reply) else Reply(data=dict(answer), cost=self.cost)
