"""Text to image that proves what it drew: one verdict per commitment of the prompt.

    import scope

    result = scope.generate("two red apples to the left of a blue car")
    result.image  # a PIL image
    print(result.proof)

Importing this package loads nothing: each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scope.app import check, edit, generate, load_run, load_spec, rerun, resume, show
    from scope.config import Options
    from scope.engine.outcome import Outcome, Progress
    from scope.engine.proof import Proof
    from scope.engine.result import Result
    from scope.errors import ScopeError
    from scope.protocols import (
        Editor,
        Generator,
        Knowledge,
        LanguageModel,
        Picture,
        Reader,
        Skill,
        Tokenizer,
        Toolbox,
        Verifier,
        Vocabulary,
    )
    from scope.specification import Commitment, Draft, Event, Request, Specification, Status, Verdict

__version__ = "0.1.0"

_NAMES = {
    "scope.app": "check edit generate load_run load_spec rerun resume show",
    "scope.config": "Options",
    "scope.engine.outcome": "Outcome Progress",
    "scope.engine.proof": "Proof",
    "scope.engine.result": "Result",
    "scope.errors": "ScopeError",
    "scope.protocols": "Editor Generator Knowledge LanguageModel Picture Reader Skill Tokenizer Toolbox Verifier "
    "Vocabulary",
    "scope.specification": "Commitment Draft Event Request Specification Status Verdict",
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = [
    "Commitment",
    "Draft",
    "Editor",
    "Event",
    "Generator",
    "Knowledge",
    "LanguageModel",
    "Options",
    "Outcome",
    "Picture",
    "Progress",
    "Proof",
    "Reader",
    "Request",
    "Result",
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
    "check",
    "edit",
    "generate",
    "load_run",
    "load_spec",
    "rerun",
    "resume",
    "show",
]


if not TYPE_CHECKING:  # a checker that saw it would believe in any name

    def __getattr__(name: str) -> Any:
        """Import a name on first use."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module 'scope' has no attribute {name!r}")
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
