"""What came of attacks of one kind."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scope.benchmarks.results import Metric, Row
from scope.errors import ScopeError
from scope.text import excerpt

_SHOWN = 3  # failures that the note of a row tells
_SLOWEST = 30.0  # seconds that anything may take, on a machine that is busy


@dataclass
class Tally:
    """How many attacks were tried, and what those did that bit."""

    tried: int = 0
    failures: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def attempt(self, what: str, read: Callable[[], object], bites: Callable[[str], str] = lambda said: "") -> None:
        """Try one attack: whatever is read is refused in words, or harmless.

        Args:
            what: names the attack.
            read: reads what was attacked. It may raise ScopeError; anything else is a failure.
            bites: gets the words of the refusal, or "", and returns what went wrong all the same, or "".
        """
        began, said = time.monotonic(), ""
        self.tried += 1
        try:
            read()
        except ScopeError as error:
            said = str(error)
        except Exception as error:
            self.failures.append(f"{what}: {type(error).__name__}: {excerpt(error, 80)}")
            return
        wrong = bites(said)
        if not wrong and (seconds := time.monotonic() - began) > _SLOWEST:
            wrong = f"it took {seconds:.0f} s"
        if wrong:
            self.failures.append(f"{what}: {wrong}")

    def row(self, name: str) -> Row:
        """Return the row of the results file."""
        metrics = {"tried": Metric(value=self.tried), "failed": Metric(value=len(self.failures))}
        metrics["seconds"] = Metric(value=round(time.monotonic() - self.began, 1))
        return Row(name=name, metrics=metrics, note=excerpt("; ".join(self.failures[:_SHOWN]), 400))
