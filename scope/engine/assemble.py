"""What a run works with, by the names in its options: every part is an installed plugin."""

from scope.errors import UsageError
from scope.plugins import registry
from scope.plugins.subprocess_skills import third_party_skills
from scope.protocols import Editor, Knowledge, LanguageModel, Reader, Toolbox
from scope.runs.budget import Metered
from scope.runs.store import Run

GRAMMAR = "grammar"
VLM = "vlm"  # a verifier that asks a language model


def of(run: Run) -> Toolbox:
    """Return the parts of a run. Answers of a language model are recorded in the run, and paid for once.

    Raises: PluginError, WeightsError, UsageError if a folder of knowledge cannot be read.
    """
    options = run.manifest.options
    reader: Reader = registry.load("language", GRAMMAR)()
    language: LanguageModel | None = None
    if options.language != GRAMMAR:
        language = Metered(registry.load("language", options.language)(), run, options.max_cost)
    return Toolbox(
        reader=reader,
        generator=registry.load("generators", options.generator)(),
        verifiers=(
            *(registry.load("verifiers", name)() for name in registry.names("verifiers") if name != VLM),
            *((registry.load("verifiers", VLM)(language),) if language is not None else ()),
        ),
        folder=run.drafts,
        language=language,
        knowledge=_knowledge(options.knowledge),
        editor=editor(options.editor),
        skills=third_party_skills(run, options.skill_timeout),
    )


def _knowledge(folders: tuple[str, ...]) -> tuple[Knowledge, ...]:
    """Return the user's folders, which come first, and what is packaged."""
    mine = tuple(registry.load("knowledge", "folder")(folder) for folder in folders)
    others = tuple(registry.load("knowledge", name)() for name in registry.names("knowledge") if name != "folder")
    return mine + others


def editor(name: str | None) -> Editor | None:
    """Return the editor of this name; None: the one that is installed, if there is one.

    Raises: PluginError if there is none of this name; UsageError if there are several and none is named.
    """
    installed = registry.names("editors")
    if name is None and len(installed) > 1:
        raise UsageError(f"several editors are installed ({', '.join(installed)}); choose one with --editor")
    if name is None and not installed:
        return None
    chosen: Editor = registry.load("editors", name or installed[0])()
    return chosen
