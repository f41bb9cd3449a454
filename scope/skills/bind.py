"""Bind: every commitment gets its words in the request, and stays identifiable there.

The words of an answered unknown are its answer's: the referring expression itself is never drawn.
"""

from collections.abc import Sequence

from scope.protocols import Toolbox
from scope.skills.mentions import words_of
from scope.skills.realize import groups, sentence
from scope.specification import (
    REGIONAL,
    Binding,
    Cause,
    Draft,
    Edit,
    ImageFile,
    Kind,
    Reference,
    Request,
    Specification,
    Status,
    Strategy,
    Type,
    Wording,
    answers,
    grounded,
    last_repair,
)
from scope.specification.geometry import canonical
from scope.specification.placements import regions

#: Guidance of a request that was worded anew: what was missed is asked for harder than by default.
REBIND_CFG_SCALE = 3.0
#: Time to which a draft is noised before its last part is drawn again: places are settled by then, things are not.
RESAMPLE_FROM = 0.92

#: The same where regions are drawn anew: from noise alone, for what stood there was wrong.
REDRAW_FROM = 1.0

_UNBOUND = (Status.DECLARED, Status.OPEN, Status.GROUNDED, Status.PLACED)


class Bind:
    """Moves every commitment that is not yet in the request to `bound`."""

    name = "bind"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        """Return whether a commitment is not bound yet."""
        return bool(spec.where(*_UNBOUND))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with all commitments bound."""
        statuses, known = spec.statuses(), answers(spec)
        for commitment in spec.where(*_UNBOUND):
            answer = known.get(commitment.id)
            lost = commitment.kind is Kind.UNKNOWN and statuses[commitment.id] is Status.OPEN
            evidence = Wording(
                words=answer.words if answer else words_of(spec, commitment),
                note="nothing grounds it; its words are passed on as they are" if lost else "",
            )
            spec = spec.move(commitment.id, Status.BOUND, Cause.skill(self.name, self.version), evidence=evidence)
        return spec


def request_of(
    spec: Specification,
    *,
    seed: int,
    parent: Draft | None = None,
    size: tuple[int, int] | None = None,
    references: Sequence[Reference] = (),
) -> Request:
    """Return what to ask a generator for: a pure function of its arguments.

    The text is the prompt itself, or a sentence that says every commitment where an unknown was answered, a person
    waived or added something, or a repair words it anew. Its regions are those of the layout, where there is one;
    setting and style are of the picture as a whole. The latest repair decides whether the picture starts from `parent`.
    `size` is (width, height) in pixels; None: the generator's own. `references` show what things are to look like.
    """
    quoted = tuple(str(c.value) for c in grounded(spec).of(Type.TEXT) if not c.denied)
    rebound = last_repair(spec, Strategy.REBIND)
    first = tuple(t for c in rebound.commitments for t in (*spec[c].targets, c)) if rebound else ()
    text, bindings = spec.prompt, _in_prompt(spec)
    if rebound or answers(spec) or spec.where(Status.WAIVED) or not _is_said(spec):
        text, bindings = sentence(grounded(spec), first)
    return Request(
        text=text,
        width=size[0] if size else None,
        height=size[1] if size else None,
        bindings=tuple(b.model_copy(update={"commitment": b.commitment.partition("/")[0]}) for b in bindings),
        regions=regions(spec),
        setting=_whole(spec, Type.SETTING),
        style=_whole(spec, Type.STYLE),
        references=tuple(references),
        quoted=quoted,
        seed=seed,
        cfg_scale=REBIND_CFG_SCALE if rebound else None,
        edit=_edit(spec, parent),
    )


def _is_said(spec: Specification) -> bool:
    """Return whether the prompt says every commitment: what a person added has no words there."""
    return all(c.span is not None or c.origin == "prompt" for c in spec.commitments)


def _whole(spec: Specification, of_type: Type) -> str:
    """Return the phrase for what is asked of the picture as a whole: "beach", "beach, night"; "": nothing.

    A place in the picture, which a setting of one thing may be, is the layout's to keep.
    """
    asked = (c for c in grounded(spec).of(of_type) if not c.denied and canonical(str(c.value)) is None)
    return ", ".join(dict.fromkeys(str(c.value) for c in asked))


def _edit(spec: Specification, parent: Draft | None) -> Edit | None:
    """Return the change that is asked for: of the draft that is repaired, if the latest repair keeps most of it."""
    latest = last_repair(spec)
    if parent is None or latest is None or latest.strategy not in (Strategy.RESAMPLE, Strategy.EDIT, *REGIONAL):
        return None
    toward = tuple(c for c in grounded(spec).commitments if c.id.partition("/")[0] in latest.commitments)
    strength = RESAMPLE_FROM if latest.strategy is Strategy.RESAMPLE else REDRAW_FROM
    image = ImageFile(path=parent.path, sha256=parent.sha256)
    return Edit(image=image, mask=latest.mask, strength=strength, toward=toward)


def _in_prompt(spec: Specification) -> tuple[Binding, ...]:
    numbers = groups(spec)
    return tuple(
        Binding(commitment=c.id, group=numbers[c.id], span=c.span) for c in spec.commitments if c.span is not None
    )
