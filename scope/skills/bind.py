"""Bind: every commitment gets its words in the request, and stays identifiable there."""

from scope.protocols import Toolbox
from scope.skills.repair import REBIND, last_repair
from scope.skills.wording import groups, sentence
from scope.spec import Binding, Request, Specification, Status, Type

#: Guidance of a request that was worded anew: what was missed is asked for harder than by default.
REBIND_CFG_SCALE = 4.5

_UNBOUND = (Status.DECLARED, Status.OPEN, Status.GROUNDED)


class Bind:
    """Moves every commitment that is not yet in the request to `bound`."""

    name = "bind"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        """Return whether a commitment is not bound yet."""
        return bool(spec.where(*_UNBOUND))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with all commitments bound."""
        statuses = spec.statuses()
        for commitment in spec.where(*_UNBOUND):
            evidence = {"words": _words(spec, commitment.id)}
            if statuses[commitment.id] is Status.OPEN:
                evidence["note"] = "nothing grounds it; its words are passed on as they are"
            spec = spec.move(commitment.id, Status.BOUND, f"skill:{self.name}@{self.version}", evidence=evidence)
        return spec


def request_of(spec: Specification, *, seed: int, parent: str | None = None) -> Request:
    """Return what to ask a generator for: a pure function of its arguments.

    The text is the prompt itself until a repair words it anew, then the sentence of the latest such repair.
    """
    quoted = tuple(str(c.value) for c in spec.of(Type.TEXT))
    repair = last_repair(spec, REBIND)
    if repair is None:
        return Request(text=spec.prompt, bindings=_in_prompt(spec), quoted=quoted, seed=seed, parent=parent)
    first = tuple(target for c in repair.commitments for target in (*spec[c].targets, c))
    text, bindings = sentence(spec, first)
    return Request(
        text=text, bindings=bindings, quoted=quoted, seed=seed, cfg_scale=REBIND_CFG_SCALE, parent=parent
    )  # fmt: skip


def _in_prompt(spec: Specification) -> tuple[Binding, ...]:
    numbers = groups(spec)
    return tuple(
        Binding(commitment=c.id, group=numbers[c.id], span=c.span) for c in spec.commitments if c.span is not None
    )


def _words(spec: Specification, commitment_id: str) -> str:
    commitment = spec[commitment_id]
    span = commitment.span
    return spec.prompt[span.start : span.end] if span is not None else str(commitment.value)
