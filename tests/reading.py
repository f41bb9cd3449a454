"""What was read of a prompt, in lines that tables of tests hold: "e1 apple", "e1 #2", "e1 not red", "e2 cup of e1"."""

from scope.parsing.prompt import uncovered
from scope.specification import Commitment, Specification, Type
from scope.text import ARTICLES


def assert_reads(spec: Specification, wanted: str, *, ones: bool = True) -> None:
    """Assert that a specification is as `wanted`, and covers every word; without `ones`, but for counts of one."""
    said = [one for one in lines(spec) if ones or not one.endswith(" #1")]
    assert said == sorted(wanted.split(", "))
    assert uncovered(spec) == []


def lines(spec: Specification) -> list[str]:
    """Return the commitments as tables write them, without what an article promises: that has a table of its own."""
    counted = [c for c in spec.of(Type.COUNT) if c.span and spec.prompt[c.span.start : c.span.end].lower() in ARTICLES]
    return sorted(line(c) for c in spec.commitments if c not in counted)


def line(c: Commitment) -> str:
    """Return one commitment as tables write it."""
    on, denied = " ".join(c.targets), "not " if c.denied else ""
    whole = f" of {c.part_of}" if c.part_of else ""
    bound = {">=": f"{c.value}+", "<=": f"..{c.value}", "between": f"{c.value}..{c.upto}"}.get(c.comparator, c.value)
    said: dict[Type, str] = {
        Type.PRESENCE: f"{c.id} {c.value}{whole}",
        Type.COUNT: f"{on} #{bound}",
        Type.ATTRIBUTE: f"{on} {denied}{'' if c.aspect == 'color' else '~'}{c.value}",
        Type.RELATION: " ".join([*c.targets[:1], f"{denied}{c.value}", *c.targets[1:]]),
        Type.COMPARISON: " ".join([*c.targets[:1], f"{denied}{c.value}", *c.targets[1:]]),
        Type.SETTING: f"@ {c.value} {on}",
        Type.STYLE: f"style {c.value}",
        Type.CAMERA: f"camera {c.value}",
        Type.TEXT: f"{on} {denied}'{c.value}'",
        Type.ABSENCE: f"no {c.value}",
    }
    return said.get(c.type, f"? {c.value} {on}").strip()
