"""Which words of a prompt made which commitment, and which made none and why."""

from scope.parsing.notation import without_notation
from scope.parsing.prompt import Prompt
from scope.specification import Span, Specification

FRAME, NOTATION = "no commitment: it only says that a picture is wanted", "no commitment: it is not supported"


def explained(spec: Specification) -> list[tuple[str, str]]:
    """Return words and what they ask for, in the order of the prompt; words that only bind others are left out."""
    prompt = Prompt(spec.prompt)
    rows = [(c.span, f"{c.id}: {c.claim}") for c in spec.commitments if c.span is not None]
    read = [span for span, _ in rows]
    rows += [(frame.span, FRAME) for frame in prompt.frames if not any(_overlap(frame.span, s) for s in read)]
    rows += [(span, NOTATION) for span in without_notation(spec.prompt).dropped]
    ordered = sorted(rows, key=lambda row: (row[0].start, row[0].end))
    return [(spec.prompt[span.start : span.end].strip(), said) for span, said in ordered]


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
