"""Text to image that proves what it drew: one verdict per commitment of the prompt.

Importing this package loads no torch. `scope.engine.graph.generate` runs the whole machine.
"""

from scope.errors import ScopeError
from scope.protocols import Generator, LanguageModel, Picture, Reader, Skill, Tokenizer, Toolbox, Verifier, Vocabulary
from scope.specification import Commitment, Draft, Event, Request, Specification, Status, Verdict

__version__ = "0.1.0"

__all__ = [
    "Commitment",
    "Draft",
    "Event",
    "Generator",
    "LanguageModel",
    "Picture",
    "Reader",
    "Request",
    "ScopeError",
    "Skill",
    "Specification",
    "Status",
    "Tokenizer",
    "Toolbox",
    "Verdict",
    "Verifier",
    "Vocabulary",
    "__version__",
]
