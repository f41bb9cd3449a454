"""What a run works with, by the names in its options: every part is an installed plugin."""

from collections.abc import Callable
from dataclasses import replace
from graphlib import TopologicalSorter

from scope.config import Options
from scope.engine.outcome import STAGES
from scope.errors import PluginError, UsageError
from scope.llm.settings import LanguageSettings
from scope.plugins import registry
from scope.plugins.subprocess_skills import SubprocessSkill
from scope.protocols import Editor, Generator, Knowledge, LanguageModel, Reader, Skill, Toolbox, Verifier, reads_of
from scope.runs.budget import BudgetedModel
from scope.runs.context import RunContext
from scope.runs.store import Run

GRAMMAR = "grammar"
VLM = "vlm"  # a verifier that asks a language model


def assemble(run: Run) -> Toolbox:
    """Return the parts of a run. Answers of a language model are recorded in the run, and paid for once.

    Raises: PluginError, WeightsError, UsageError if a folder of knowledge cannot be read or an option names no part.
    """
    options = run.manifest.options
    maker: Generator = registry.load("generators", options.generator)()
    tools = toolbox(options, RunContext(run, options.max_cost), maker)
    return replace(tools, editor=editor(options.editor))


def toolbox(options: Options, context: RunContext, generator: Generator) -> Toolbox:
    """Return the parts that the options name around a generator, without an editor.

    Raises: as of `assemble`.
    """
    reader: Reader = registry.load("language", GRAMMAR)()
    language: LanguageModel | None = None
    if options.language != GRAMMAR:
        language = BudgetedModel(registry.load("language", options.language)(), context)
    tools = Toolbox(
        reader=reader,
        generator=generator,
        verifiers=verifiers(options, language),
        language=language,
        knowledge=_knowledge(options.knowledge),
        seed=options.seed,
        canvas=options.pixels or (1, 1),
    )
    return replace(tools, skills=skills(options, tools, context))


def check(options: Options) -> None:
    """Look whether every part that the options name can be had, and make none of them.

    Raises: PluginError; UsageError if there are several editors and none is named, or a language model is not
    configured.
    """
    registry.load("generators", options.generator)
    registry.load("language", options.language)
    if options.language != GRAMMAR:
        LanguageSettings.load().check(options.language)
    editor_factory(options.editor)
    check_left_out(options.without)
    verifier_names(options)


def verifiers(options: Options, language: LanguageModel | None) -> tuple[Verifier, ...]:
    """Return the verifiers in the order in which they are asked; without `language`, not the one that asks it.

    Raises: as of `verifier_names`; WeightsError.
    """
    makers = [(registry.load("verifiers", name), name) for name in verifier_names(options)]
    return tuple(make(language) if name == VLM else make() for make, name in makers if name != VLM or language)


def verifier_names(options: Options) -> tuple[str, ...]:
    """Return the names of the verifiers in the order in which they are asked: the first that can say counts.

    Those that the options name, and no other. Without any: all that are installed, scope's own first, so that another
    package's speaks only where scope's own cannot; the one that asks a language model only where there is one.

    Raises: PluginError if there is none of a name; UsageError if one would ask a language model and there is none.
    """
    asks = options.language != GRAMMAR
    if not options.verifiers:
        foreign = {part.name for part in registry.installed("verifiers") if part.third_party}
        names = [name for name in registry.names("verifiers") if name != VLM or asks]
        return tuple(sorted(names, key=lambda name: name in foreign))
    for name in options.verifiers:
        registry.find("verifiers", name)
    if VLM in options.verifiers and not asks:
        raise UsageError(f"the verifier {VLM!r} asks a language model; choose one with --language, or leave it out")
    return options.verifiers


def check_left_out(names: tuple[str, ...]) -> None:
    """Raise PluginError if one of these is no skill that could be left out."""
    for name in names:
        if name != "repair":  # a stage of the machine, in which skills of several names act
            registry.find("skills", name)


def skills(options: Options, tools: Toolbox, context: RunContext) -> tuple[Skill, ...]:
    """Return what `ground` may run: our own skills, each after those that it builds on, then those of other packages.

    What only serves something that the generator does not read is left out.

    Raises: PluginError, also if `options.without` names nothing that could be left out.
    """
    check_left_out(options.without)
    parts = registry.installed("skills")
    if taken := sorted(part.name for part in parts if part.third_party and part.name in STAGES):
        raise PluginError(f"a skill of another package is called {taken[0]!r}, as a stage of scope is; rename it")
    loaded: dict[str, Skill] = {p.name: registry.load("skills", p.name)() for p in parts if not p.third_party}
    own = {name: skill for name, skill in loaded.items() if _is_served(tools.generator, skill)}
    order = TopologicalSorter({name: [a for a in _after(skill) if a in own] for name, skill in sorted(own.items())})
    others = (SubprocessSkill(part, context, options.skill_timeout, tools) for part in parts if part.third_party)
    return (*(own[name] for name in order.static_order()), *others)


def _after(skill: Skill) -> tuple[str, ...]:
    """Return the skills that are to run before this one, where it says so."""
    after: tuple[str, ...] = getattr(skill, "after", ())
    return after


def _is_served(generator: Generator, skill: Skill) -> bool:
    """Return whether a generator reads anything of what a skill makes; most make what every generator reads.

    Raises: PluginError if the generator does not say what it reads.
    """
    serves: frozenset[str] | None = getattr(skill, "serves", None)
    return serves is None or bool(serves & reads_of(generator))


def _knowledge(folders: tuple[str, ...]) -> tuple[Knowledge, ...]:
    """Return the user's folders, which come first, and what is packaged."""
    mine = tuple(registry.load("knowledge", "folder")(folder) for folder in folders)
    others = tuple(registry.load("knowledge", name)() for name in registry.names("knowledge") if name != "folder")
    return mine + others


def editor(name: str | None) -> Editor | None:
    """Return the editor of this name; None: the one that is installed, if there is one.

    Raises: as of `editor_factory`.
    """
    factory = editor_factory(name)
    return factory() if factory is not None else None


def editor_factory(name: str | None) -> Callable[[], Editor] | None:
    """Return what makes the editor of this name; None: the one that is installed, if there is one.

    Raises: PluginError if there is none of this name; UsageError if there are several and none is named.
    """
    installed = registry.names("editors")
    if name is None and len(installed) > 1:
        raise UsageError(f"several editors are installed ({', '.join(installed)}); choose one with --editor")
    if name is None and not installed:
        return None
    chosen: Callable[[], Editor] = registry.load("editors", name or installed[0])
    return chosen
