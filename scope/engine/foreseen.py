"""What no verifier could judge on any picture: known from the specification alone, said before anything is drawn."""

from collections.abc import Sequence

from scope.protocols import Verifier
from scope.specification import Commitment, Kind, Model, Specification, Status, answers, grounded
from scope.text import printable


class Unjudgeable(Model):
    """A commitment that will be judged on no picture, and why. `print` has it as a sentence."""

    commitment: str
    claim: str
    why: str

    def __str__(self) -> str:
        return f"no verifier can judge whether {self.claim} ({self.commitment}): {self.why}"


def unjudgeable(
    spec: Specification, verifiers: Sequence[Verifier], asks_model: bool = False
) -> tuple[Unjudgeable, ...]:
    """Return what none of these verifiers could judge, whatever is drawn, in the order of the prompt.

    An unknown is among it until it is answered. What an open one speaks of may yet become something else, and is not.
    Where a language model is asked, too (`asks_model`), there is nothing else: it can be asked about any claim.
    """
    asked, open_ = grounded(spec), spec.where(Status.OPEN)
    speaks_of = {target for unknown in open_ for target in unknown.targets}
    found: dict[str, Unjudgeable] = {}
    for commitment in asked.commitments:
        owner = commitment.id.partition("/")[0]  # of the facts of an answer: the unknown
        told = commitment.kind is not Kind.UNKNOWN and (asks_model or owner in speaks_of)
        why = "" if told else _why(commitment, asked, verifiers)
        if why and owner not in found:
            found[owner] = Unjudgeable(commitment=owner, claim=spec[owner].claim, why=why)
    return tuple(found.values())


def _why(commitment: Commitment, spec: Specification, verifiers: Sequence[Verifier]) -> str:
    """Return why nobody could judge a commitment; "": somebody could."""
    if commitment.kind is Kind.UNKNOWN:
        meant = f"what {commitment.value!r} means is not known"
        return meant if commitment.id in answers(spec) else f"{meant}, unless a skill finds it out"
    told = [_why_not(verifier, commitment, spec) for verifier in verifiers]
    return "" if "" in told else next(filter(None, told), f"none is installed for {commitment.type.value}")


def _why_not(verifier: Verifier, commitment: Commitment, spec: Specification) -> str | None:
    """Return why a verifier could not judge a commitment; "": it could; None: it handles nothing like it."""
    try:
        if not verifier.handles(commitment):
            return None
        ask = getattr(verifier, "why_not", None)
        return printable(str(ask(commitment, spec))) if ask is not None else ""
    except Exception:  # of a verifier that fails here its verdict will tell
        return ""
