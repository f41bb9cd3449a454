"""One exception tree. Each message says what happened, to which input, and what to do.

ScopeError              1  anything that scope itself reports; never shown with a traceback
├── UsageError          2  the request cannot be run as written
│   ├── PromptError     2  empty, too long, or nothing drawable in it
│   └── PluginError     2  no such generator, skill, verifier ...; or it cannot be imported
├── WeightsError        1  missing, truncated, non-finite, wrong sha256, or of another preset
├── StateCorrupt        1  a run's record is damaged or does not match its specification
├── OtherSchema         1  a run was recorded by another version of scope
├── RunBusy             2  another process owns the run
├── OutputError         1  a file could not be written
├── ImageError          1  a picture could not be read
├── BudgetSpent         4  a call would cost more than is left
└── ServiceError       75  a server gave no usable answer; trying later may help
    └── LanguageError  75  nor did a language model, on a server or in process

The number is the exit code of the command line.
"""


class ScopeError(Exception):
    """Base of everything that scope raises on purpose."""

    exit_code = 1


class UsageError(ScopeError):
    """The request cannot be run as written."""

    exit_code = 2


class PromptError(UsageError):
    """The prompt is empty, too long, or holds nothing that can be drawn."""


class NotEnglish(PromptError):
    """The prompt is in another language, which the grammar does not read; a language model may."""


class PluginError(UsageError):
    """A named part does not exist or cannot be imported."""


class WeightsError(ScopeError):
    """Weights are missing, damaged, or belong to something else."""


class StateCorrupt(ScopeError):
    """A run's record is damaged; continuing would draw something that was not asked for."""


class OtherSchema(ScopeError):
    """A run was recorded in another schema, by another version of scope."""


class RunBusy(ScopeError):
    """Another process is working on this run."""

    exit_code = 2


class OutputError(ScopeError):
    """A file could not be written."""


class ImageError(ScopeError):
    """A picture could not be read."""


class BudgetSpent(ScopeError):
    """A call costs something, and nothing is left of what may be spent."""

    exit_code = 4


class ServiceError(ScopeError):
    """A server gave no usable answer; trying later may help."""

    exit_code = 75


class LanguageError(ServiceError):
    """A language model gave no usable answer; trying later may help."""
