"""A verifier that says what it was told to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from scope.specification import Commitment, Kind, Observation, Specification, Type, Verdict
from scope.testing.fakes.delay import wait

#: What a `FakeVerifier` says of a commitment: an outcome, or one per picture that it is asked about (the last repeats).
Script = Mapping[str, str | Sequence[str | None] | None]


@dataclass
class FakeVerifier:
    """Says what it was told to, by commitment id or type; of all others, `otherwise`.

    `handled` limits it to some types (None: all but unknowns); `raises` makes each check fail; `asked` keeps the ids of
    each check. `seen` is the evidence of its verdicts, by commitment id or type.
    """

    script: Script = field(default_factory=dict)
    otherwise: str | None = "met"
    name: str = "fake"
    version: str = "1"
    handled: frozenset[Type] | None = None
    raises: Exception | None = None
    delay: float = 0.0
    seen: Mapping[str, Sequence[Observation]] = field(default_factory=dict)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it may be asked."""
        return commitment.kind is not Kind.UNKNOWN if self.handled is None else commitment.type in self.handled

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return what the script says."""
        if image.tobytes() not in self.pictures:
            self.pictures.append(image.tobytes())
        self.asked.append(tuple(c.id for c in commitments))
        wait(self.delay)
        if self.raises is not None:
            raise self.raises
        number = self.pictures.index(image.tobytes())
        return [self._verdict(c, number) for c in commitments]

    def _verdict(self, commitment: Commitment, number: int) -> Verdict:
        said = self.script.get(commitment.id, self.script.get(commitment.type.value, self.otherwise))
        said = said if self.handles(commitment) else None
        if not isinstance(said, str | None):
            said = said[min(number, len(said) - 1)]
        return Verdict.model_validate(
            {
                "commitment": commitment.id,
                "outcome": said,
                "reason": f"the script says {said}",
                "verifier": f"{self.name}@{self.version}",
                "evidence": tuple(self.seen.get(commitment.id, self.seen.get(commitment.type.value, ()))),
            }
        )
