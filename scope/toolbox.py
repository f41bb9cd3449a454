"""What a run works with, by the names in its options: every part is an installed plugin."""

from scope.config import Settings
from scope.isolation import guests
from scope.metered import Metered
from scope.plugins import load, names
from scope.protocols import Editor, Knowledge, LanguageModel, Reader, Toolbox
from scope.runs import Run

GRAMMAR = "grammar"
VLM = "vlm"  # a verifier that asks a language model


def of(run: Run) -> Toolbox:
    """Return the parts of a run. Answers of a language model are recorded in the run, and paid for once.

    Raises: PluginError, WeightsError, UsageError if a folder of knowledge cannot be read.
    """
    options = run.manifest.options
    reader: Reader = load("language", GRAMMAR)()
    language: LanguageModel | None = None
    if options.language != GRAMMAR:
        language = Metered(load("language", options.language)(), run, options.max_cost)
    return Toolbox(
        reader=reader,
        generator=load("generators", options.generator)(),
        verifiers=(
            *(load("verifiers", name)() for name in names("verifiers") if name != VLM),
            *((load("verifiers", VLM)(language),) if language is not None else ()),
        ),
        folder=run.drafts,
        language=language,
        knowledge=_knowledge(options.knowledge),
        editor=_editor(),
        skills=guests(run, Settings.load().skill_timeout),
    )


def _knowledge(folders: tuple[str, ...]) -> tuple[Knowledge, ...]:
    """Return the user's folders, which come first, and what is packaged."""
    mine = tuple(load("knowledge", "folder")(folder) for folder in folders)
    others = tuple(load("knowledge", name)() for name in names("knowledge") if name != "folder")
    return mine + others


def _editor() -> Editor | None:
    installed = names("editors")
    editor: Editor | None = load("editors", installed[0])() if installed else None
    return editor
