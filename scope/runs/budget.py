"""A language model that is paid for once: its answers are recorded, and its cost is reserved before each call.

So a run that was killed asks nothing twice, and never spends more than its budget and the call that was under way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from PIL.Image import Image

from scope.errors import LanguageError
from scope.protocols import LanguageModel, Message, Reply
from scope.runs.store import Run
from scope.specification import sha256_of


@dataclass(frozen=True)
class Metered:
    """A `LanguageModel` within the budget of a run. `limit` is in the currency of the model's prices."""

    model: LanguageModel
    run: Run
    limit: float | None = None

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.model.name

    @property
    def version(self) -> str:
        """Return the model's version."""
        return self.model.version

    @property
    def ceiling(self) -> float:
        """Return what one call costs at most."""
        return self.model.ceiling

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence[Image] = ()) -> Reply:
        """Return the recorded answer, or ask.

        Raises: LanguageError, also if the budget is spent.
        """
        pictures = [sha256(image.tobytes()).hexdigest() for image in images]
        asked = [m.model_dump(mode="json") for m in messages]
        key = sha256_of([self.run.id, "language", self.name, self.version, asked, schema, pictures])
        recorded = self.run.recall(key)
        if recorded is not None:
            return Reply.model_validate(recorded)
        if self.limit is not None and self.run.spent() >= self.limit:
            raise LanguageError(f"the cost budget of {self.limit:g} is spent; allow more with --max-cost")
        self.run.spend(key, self.ceiling)
        reply = self.model.complete(messages, schema, images)
        self.run.record(key, reply.model_dump(mode="json"))
        self.run.spend(key, reply.cost)
        return reply
