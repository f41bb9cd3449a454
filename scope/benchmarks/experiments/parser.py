"""How well the grammar reads, by what it reads of what is said, and by what it promises that nobody said.

`recall`: share of the true atoms that are read; `precision`: share of the promised ones that are true; `whole`: share
of prompts that are read without a miss, a false promise or an open word. An atom is a claim with its type, value,
things and direction (reading/atoms.py).

    geneval, pocket, world        prompts that come with their truth
    chains ... comma              sentences from templates (reading/sentences.py): the half that no rule was tuned on;
                                  NAME_dev is the other one. `comparison`: of the comparisons alone, with both ends;
                                  `promised_denials`: share of what is denied that is promised
    dsg                           its tuples of four kinds (reading/dsg.py), and all of them as `recall`
    surfaces                      words in quotes (`recall`), and what they stand on (`surface`)
    picture_words                 share of prompts in which a word for the picture is taken for a thing: of `all`, and
                                  of the `free` ones of DSG, DPG-Bench and Flow-GRPO
    precision_300                 promises of 300 prompts that a person judged (reading/judged.py); `relation`: of the
                                  relations and comparisons alone
    fuzz                          prompts that nobody writes: how many `crashes`
    speed                         milliseconds of CPU time a prompt, of all these and of one of 500 words
"""

import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.reading import SETS, dsg, fuzz, judged, public, surfaces
from scope.benchmarks.reading.atoms import Atom, Score, score
from scope.benchmarks.reading.known import of_geneval, of_plan
from scope.benchmarks.reading.sentences import HALVES, Half, sentences
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import PromptError, ScopeError
from scope.parsing.cleaning import clean
from scope.parsing.grammar import Grammar
from scope.specification import Kind, Specification, Type
from scope.worlds.pocket import caption, sample, sample_whole

SENTENCES, CAPTIONS, FUZZED, LONG = 300, 1000, 10_000, 500
QUICK = 40  # prompts of each set
#: Words for the picture or for how it looks: none of them is a thing in it.
PICTURE_WORDS = frozenset(
    "image scene view style texture contrast quality effect hue hint tone mood atmosphere ambiance ambience aesthetic "
    "vibe sense feel feeling reality composition background foreground backdrop close-up closeup shot perspective "
    "angle resolution focus color colour depiction rendering representation essence juxtaposition".split()
)
_FRAMES = frozenset({"picture", "photo", "photograph", "drawing", "painting"})  # things but after "the" and "this"

Truth = tuple[str, Sequence[Atom]]


@dataclass
class Reader:
    """Reads prompts, and keeps what all of them have in common."""

    grammar: Grammar = field(default_factory=Grammar)
    seconds: list[float] = field(default_factory=list)
    about_pictures: list[bool] = field(default_factory=list)

    def read(self, prompt: str) -> Specification:
        """Return what a prompt is read as: nothing, where it is refused."""
        began = time.process_time()
        try:
            spec = self.grammar.decompose(prompt)
        except PromptError:
            spec = Specification(prompt=clean(prompt).text)
        self.seconds.append(time.process_time() - began)
        self.about_pictures.append(takes_the_picture_for_a_thing(spec))
        return spec


def measure(quick: bool = False) -> Results:
    """Return how well the grammar reads; `quick` a few prompts of each set.

    Raises: ScopeError if a packaged set is not whole, or nobody judged a claim of the judged prompts.
    """
    n = QUICK if quick else None
    grammar = Grammar()
    grammar.decompose("a cat")  # loads the model
    free, made = Reader(grammar), Reader(grammar)
    judgements = judged_row(free, n)  # the first, as it may refuse
    rows = (
        known_row("geneval", made, [(i["prompt"], of_geneval(i["include"])) for i in public.geneval()][:n]),
        *(known_row(name, made, captions(name, n or CAPTIONS)) for name in ("pocket", "world")),
        *(sentences_row(name, half, made, n or SENTENCES) for name in SETS for half in reversed(HALVES)),
        dsg_row(free, n),
        surfaces_row(free, n),
        judgements,
        picture_words_row(free, made),
        speed_row(free, made),
        fuzz_row(grammar, n or FUZZED),
    )
    return Results(
        name="parser",
        command="scope bench parser" + (" --quick" if quick else ""),
        seeds=(0,),
        n_expected=len(free.seconds) + len(made.seconds) + (n or FUZZED),
        rows=rows,
    )


# -- prompts whose truth is known ----------------------------------------------------------------


def known_row(name: str, reader: Reader, prompts: Iterable[Truth]) -> Row:
    """Return how well prompts are read whose truth is known."""
    scores = [score(truth, reader.read(text)) for text, truth in prompts]
    return Row(name=name, metrics=_of_atoms(scores))


def captions(name: str, count: int) -> list[Truth]:
    """Return captions of the core pocket world, or of the whole `world`, with what they say."""
    rng = np.random.default_rng(0)
    draw = {"pocket": sample, "world": sample_whole}[name]
    plans = [draw(rng) for _ in range(count)]
    return [(caption(plan, rng).text, of_plan(plan)) for plan in plans]


def sentences_row(name: str, half: Half, reader: Reader, count: int) -> Row:
    """Return how well a half of a set of sentences is read."""
    drawn = sentences(name, half, count)
    scores = [score(s.truth, reader.read(s.text)) for s in drawn]
    metrics = _of_atoms(scores)
    if name == "comparisons":
        missed = sum(atom.type == Type.COMPARISON for s in scores for atom in s.missed)
        asked = sum(s.demanded[Type.COMPARISON] for s in scores)
        metrics["comparison"] = share(asked - missed, asked)
    denied = sum(atom.denied or atom.type == Type.ABSENCE for s in drawn for atom in s.truth)
    if denied:
        metrics["promised_denials"] = share(sum(len(s.broken) for s in scores), denied)
    return Row(name=name if half == "test" else f"{name}_{half}", metrics=metrics)


def _of_atoms(scores: Sequence[Score]) -> dict[str, Metric]:
    demanded, promised = sum(s.demanded.total() for s in scores), sum(s.promised for s in scores)
    return {
        "recall": share(demanded - sum(len(s.missed) for s in scores), demanded),
        "precision": share(promised - sum(len(s.spurious) for s in scores), promised),
        "whole": share(sum(s.whole for s in scores), len(scores)),
    }


# -- prompts as people write them ----------------------------------------------------------------


def dsg_row(reader: Reader, count: int | None = None) -> Row:
    """Return how many of DSG's tuples are read, by what they ask."""
    tuples, answers = dsg.tuples(), defaultdict[str, list[bool]](list)
    for id_, text in list(public.prompts("dsg").items())[:count]:
        for what, read in dsg.read(reader.read(text), tuples[id_]).items():
            answers[what] += read
    every = [read for of_kind in answers.values() for read in of_kind]
    by_kind = {what: share(sum(read), len(read)) for what, read in answers.items()}
    return Row(name="dsg", metrics={"recall": share(sum(every), len(every)), **by_kind})


def surfaces_row(reader: Reader, count: int | None = None) -> Row:
    """Return how many of the words in quotes are read, and how many of them on what they stand on."""
    read: list[bool] = []
    placed: list[bool] = []
    for text in list(public.prompts("flow_grpo_ocr").values())[:count]:
        spec, said, noun = reader.read(text), surfaces.words(text), surfaces.surface(text)
        read += [surfaces.is_read(spec, words) for words in said]
        placed += [surfaces.is_on(spec, said[0], noun)] if noun else []
    return Row(
        name="surfaces", metrics={"recall": share(sum(read), len(read)), "surface": share(sum(placed), len(placed))}
    )


def judged_row(reader: Reader, count: int | None = None) -> Row:
    """Return which share of the promises a person found right.

    Raises: ScopeError that says what nobody judged.
    """
    drawn = list(judged.drawn().items())[:count]
    specs = {id_: reader.read(text) for id_, text in drawn}
    claims = [claim for id_, spec in specs.items() for claim in judged.judge(id_, spec)]
    if new := [claim for claim in claims if claim.verdict is None]:
        some = "; ".join(f"{claim.prompt}: {claim.claim}" for claim in new[:5])
        raise ScopeError(
            f"{len(new):,} of {len(claims):,} claims of the judged prompts are new, and nobody judged them ({some}); "
            "judge them in scope/benchmarks/data/judged/claims.jsonl"
        )
    verdicts = Counter(claim.verdict for claim in claims)
    relations = [claim.verdict == "right" for claim in claims if claim.is_relation]
    unknowns = sum(c.kind is Kind.UNKNOWN for spec in specs.values() for c in spec.commitments)
    metrics = {"precision": share(verdicts["right"], len(claims)), "relation": share(sum(relations), len(relations))}
    wrong = ", ".join(f"{verdicts[verdict]:,} {verdict}" for verdict in judged.VERDICTS[1:])
    note = f"{len(claims):,} promises: {wrong}; {unknowns:,} more commitments are unknowns, which promise nothing"
    return Row(name="precision_300", metrics=metrics, note=note)


def picture_words_row(free: Reader, made: Reader) -> Row:
    """Return how often the picture is taken for a thing in it."""
    every = free.about_pictures + made.about_pictures
    of_free = share(sum(free.about_pictures), len(free.about_pictures))
    return Row(name="picture_words", metrics={"all": share(sum(every), len(every)), "free": of_free})


def takes_the_picture_for_a_thing(spec: Specification) -> bool:
    """Return whether a word for the picture, or for how it looks, is an entity."""
    for c in spec.of(Type.PRESENCE):
        last = str(c.value).lower().split()[-1]
        before = spec.prompt[: c.span.start].lower().split()[-1:] if c.span else []
        if last in PICTURE_WORDS or (last in _FRAMES and before in (["this"], ["the"])):
            return True
    return False


# -- speed, and prompts that nobody writes -------------------------------------------------------


def speed_row(free: Reader, made: Reader) -> Row:
    """Return how long the prompts took that were read, and one of 500 words."""
    words = " ".join(public.prompts("dpg_bench").values()).split()[:LONG]
    long = Reader(free.grammar)
    long.read(" ".join(words))
    ms = [1000 * seconds for seconds in free.seconds + made.seconds]
    return Row(
        name="speed",
        metrics={
            "ms_median": Metric(value=round(statistics.median(ms), 2), n=len(ms)),
            "ms_p99": Metric(value=round(float(np.percentile(ms, 99)), 1), n=len(ms)),
            "ms_500_words": Metric(value=round(1000 * long.seconds[0], 1)),
        },
    )


def fuzz_row(grammar: Grammar, count: int) -> Row:
    """Return how many of the fuzzed prompts end in anything but a specification or a refusal in words."""
    crashes = Counter[str]()
    real = [text for name in public.SIZES for text in public.prompts(name).values()]
    for prompt in fuzz.prompts(count, real):
        try:
            grammar.decompose(prompt)
        except PromptError:
            continue
        except Exception as error:  # whatever it is, it is what is counted
            crashes[type(error).__name__] += 1
    note = ", ".join(f"{name} {n}" for name, n in crashes.most_common())
    return Row(name="fuzz", metrics={"crashes": Metric(value=crashes.total(), n=count)}, note=note)
