"""A language model within the budget of a run: paid for once, its cost reserved before each call (context.py)."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from PIL.Image import Image

from scope.errors import BudgetSpent, LanguageError
from scope.protocols import LanguageModel, Message, Reply
from scope.runs.context import RunContext


@dataclass(frozen=True)
class BudgetedModel:
    """A `LanguageModel` whose calls are those of a run."""

    model: LanguageModel
    context: RunContext

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
        key = [self.name, self.version, [m.model_dump(mode="json") for m in messages], schema, pictures]
        try:
            return self.context.call(
                "language", key, lambda: self.model.complete(messages, schema, images), Reply, self.ceiling
            )
        except BudgetSpent as error:
            raise LanguageError(str(error)) from error
