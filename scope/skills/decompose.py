"""Decompose: a prompt becomes commitments."""

from scope.protocols import Toolbox
from scope.spec import Specification


class Decompose:
    """Hands the prompt to the reader, which declares the commitments."""

    name = "decompose"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        """Return whether nothing is declared yet."""
        return not spec.events

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification of `spec.prompt`, which the reader may have cleaned.

        Raises: PromptError if it holds nothing that can be drawn.
        """
        return tools.reader.decompose(spec.prompt)
