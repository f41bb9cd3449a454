"""A verifier that judges settings."""

from collections.abc import Sequence

from PIL.Image import Image

from scope.specification import Commitment, Specification, Type, Verdict


class Outdoors:
    """Holds every picture to be outdoors."""

    name = "outdoors"
    version = "2.5"

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it is about the setting."""
        return commitment.type is Type.SETTING

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment, in order."""
        return [self._verdict(commitment) for commitment in commitments]

    def _verdict(self, commitment: Commitment) -> Verdict:
        outcome = None if not self.handles(commitment) else "met" if commitment.value == "beach" else "violated"
        return Verdict(commitment=commitment.id, outcome=outcome, reason="all is sand", verifier="outdoors@2.5")
