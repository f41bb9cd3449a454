"""The calls of one run: each is made once, within the budget, and recorded before anything uses it.

A call's key is a hash of all that decides its result. Before the call it is looked up; after it, the result is written
down. So a node that runs twice, because the process was killed in it, does its work once, and never spends more than
the budget and the call that was under way. Every kind of part goes through here: generator, editor, verifier, language
model, skill.
"""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError

from scope.errors import BudgetSpent
from scope.runs.store import Run
from scope.specification import Model, sha256_of

R = TypeVar("R", bound=Model)
_RESERVING = threading.Lock()


@dataclass(frozen=True)
class RunContext:
    """A run and what it may spend. `max_cost` is in the currency of the configured prices; None: without limit."""

    run: Run
    max_cost: float | None = None

    def call(
        self, part: str, key: Any, fn: Callable[[], R], result: type[R], ceiling: float = 0.0, *,
        valid: Callable[[R], bool] = lambda recorded: True,
    ) -> R:  # fmt: skip
        """Return what a call gave before, or make it, record it and pay for it.

        Args:
            part: what kind of part is called: "language", "generator" ...
            key: plain JSON of all that decides the result.
            fn: makes the call.
            result: the type of the result. Its field `cost`, where it has one, is what the call cost.
            ceiling: what the call costs at most: reserved before it.
            valid: whether a recorded result can still be used.

        Raises: BudgetSpent if the call costs something and nothing is left; OutputError, StateCorrupt; whatever `fn`
        raises.
        """
        return self.call_all(part, [key], lambda missing: [fn()], result, ceiling, valid=valid)[0]

    def call_all(
        self, part: str, keys: Sequence[Any], fn: Callable[[list[int]], Sequence[R]], result: type[R],
        ceiling: float = 0.0, *, valid: Callable[[R], bool] = lambda recorded: True,
    ) -> list[R]:  # fmt: skip
        """Return what calls gave, those that were not made before made together.

        `fn` gets the places of those that are missing and returns a result for each; `ceiling` is that of one. The rest
        is as in `call`.
        """
        hashes = [sha256_of([self.run.id, part, key]) for key in keys]
        found = {i: made for i, name in enumerate(hashes) if (made := self._recalled(name, result, valid)) is not None}
        missing = [i for i in range(len(keys)) if i not in found]
        if missing:
            if ceiling > 0:
                self._reserve([hashes[i] for i in missing], ceiling)
            for i, made in zip(missing, fn(missing), strict=True):
                self.run.record(hashes[i], made.model_dump(mode="json"))
                cost = getattr(made, "cost", 0.0)
                if not (math.isfinite(cost) and cost >= 0):  # nobody knows what it cost
                    cost = ceiling
                if ceiling > 0 or cost > 0:
                    self.run.spend(hashes[i], cost)
                found[i] = made
        return [found[i] for i in range(len(keys))]

    def _recalled(self, name: str, result: type[R], valid: Callable[[R], bool]) -> R | None:
        recorded = self.run.recall(name)
        try:
            made = result.model_validate(recorded) if recorded is not None else None
        except ValidationError as error:
            raise self.run.corrupt(f"a recorded call: {error.errors()[0]['msg']}") from error
        return made if made is not None and valid(made) else None

    def _reserve(self, names: Sequence[str], ceiling: float) -> None:
        with _RESERVING:  # calls that run side by side see what each other has reserved
            for number, name in enumerate(names):
                if self.max_cost is not None and self.run.spent() >= self.max_cost:
                    for unused in names[:number]:  # none of these calls is made
                        self.run.spend(unused, 0.0)
                    raise BudgetSpent(f"the cost budget of {self.max_cost:g} is spent; allow more with --max-cost")
                self.run.spend(name, ceiling)
