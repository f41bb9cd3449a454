"""What a run works with, by the names in its options: every part is an installed plugin."""

from scope import plugins
from scope.config import Settings
from scope.isolation import guests
from scope.metered import Metered
from scope.protocols import Editor, Knowledge, LanguageModel, Reader, Toolbox
from scope.runs import Run

GRAMMAR = "grammar"
VLM = "vlm"  # a verifier that asks a language model


def of(run: Run) -> Toolbox:
    """Return the parts of a run. Answers of a language model are recorded in the run, and paid for once.

    Raises: PluginError, WeightsError, UsageError if a folder of knowledge cannot be read.
    """
    options = run.manifest.options
    reader: Reader = plugins.load("language", GRAMMAR)()
    language: LanguageModel | None = None
    if options.language != GRAMMAR:
        language = Metered(plugins.load("language", options.language)(), run, options.max_cost)
    return Toolbox(
        reader=reader,
        generator=plugins.load("generators", options.generator)(),
        verifiers=(
            *(plugins.load("verifiers", name)() for name in plugins.names("verifiers") if name != VLM),
            *((plugins.load("verifiers", VLM)(language),) if language is not None else ()),
        ),
        folder=run.drafts,
        language=language,
        knowledge=_knowledge(options.knowledge),
        editor=_editor(),
        skills=guests(run, Settings.load().skill_timeout),
    )


def _knowledge(folders: tuple[str, ...]) -> tuple[Knowledge, ...]:
    """Return the user's folders, which come first, and what is packaged."""
    mine = tuple(plugins.load("knowledge", "folder")(folder) for folder in folders)
    others = tuple(plugins.load("knowledge", name)() for name in plugins.names("knowledge") if name != "folder")
    return mine + others


def _editor() -> Editor | None:
    installed = plugins.names("editors")
    editor: Editor | None = plugins.load("editors", installed[0])() if installed else None
    return editor
