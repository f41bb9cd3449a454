"""What `ground` does: the first skill that sees something to do, one step at a time, until none does."""

from collections.abc import Collection, Mapping

from scope.plugins.subprocess_skills import run_or_skip
from scope.protocols import Skill, Toolbox
from scope.specification import Specification

MOST_RUNS = 8  # of one skill before the request is written: one that never settles is left there


def next_skill(
    spec: Specification, tools: Toolbox, ran: Mapping[str, int], without: Collection[str] = ()
) -> Skill | None:
    """Return the first skill that sees something to do, having run so often; None: none does.

    A pure function of its arguments.
    """
    able = (skill for skill in tools.skills if skill.name not in without)
    return next((skill for skill in able if ran.get(skill.name, 0) < MOST_RUNS and skill.needed(spec)), None)


def step(
    skill: Skill, spec: Specification, tools: Toolbox, ran: Mapping[str, int]
) -> tuple[Specification, dict[str, int], str]:
    """Return the specification after one step of a skill, how often each ran now, and a note where it was left out."""
    after, note = run_or_skip(skill, spec, tools)
    runs = MOST_RUNS if after == spec else ran.get(skill.name, 0) + 1  # what changes nothing is not asked again
    return after, {**ran, skill.name: runs}, note or ""


def grounded_by(
    spec: Specification, tools: Toolbox, without: Collection[str] = ()
) -> tuple[Specification, tuple[str, ...]]:
    """Return the specification once no skill sees anything to do, and a note for each that was left out."""
    ran: dict[str, int] = {}
    notes: list[str] = []
    while (skill := next_skill(spec, tools, ran, without)) is not None:
        spec, ran, note = step(skill, spec, tools, ran)
        notes += [note] if note else []
    return spec, tuple(notes)
