"""A skill that knows one mascot."""

from scope.protocols import Toolbox
from scope.specification import Answer, Cause, Kind, Source, Specification, Status, ground

_SOURCE = Source(title="the book of mascots", locator="mascots.md")


class Mascots:
    """Says what the Zorvex looks like."""

    name = "mascots"
    version = "2.5"

    def needed(self, spec: Specification) -> bool:
        """Return whether the Zorvex is spoken of and not known yet."""
        return any(unknown.value == "zorvex" for unknown in spec.where(Status.OPEN, kind=Kind.UNKNOWN))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with the Zorvex grounded."""
        for unknown in spec.where(Status.OPEN, kind=Kind.UNKNOWN):
            if unknown.value == "zorvex":
                answer = Answer(words="a green turtle", sources=(_SOURCE,))
                spec = ground(spec, unknown.id, answer, Cause.skill(self.name, self.version))
        return spec
