"""How well the grammar reads: GenEval's prompts against their metadata, DSG's against its tuples, our world's captions.

`exact`: the specification equals the truth: same objects, counts, colours and relations, and nothing else in it.
`coverage`: share of content words that a commitment other than an unknown speaks of.
`recall`: share of DSG's "entity - whole" nouns that are among the entities.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from io import StringIO
from typing import Any

import numpy as np

from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import PromptError, ScopeError
from scope.parsing.cleaning import clean
from scope.parsing.english import singular
from scope.parsing.grammar import Grammar
from scope.parsing.prompt import Prompt
from scope.specification import Kind, Specification, Type
from scope.worlds.pocket import Plan, caption, sample, sample_whole
from scope.worlds.pocket.catalogue import STYLES
from scope.worlds.pocket.settings import parts

#: A specification without ids: (entities with count and colours, relations, the rest).
Meaning = tuple[Counter[Any], Counter[Any], Counter[Any]]

GENEVAL_PROMPTS = 553
DSG_PROMPTS = 1060
POCKET_CAPTIONS = 1000


def measure() -> Results:
    """Return how well the grammar parses.

    Raises: ScopeError if a packaged set of prompts is not whole.
    """
    grammar = Grammar()
    return Results(
        name="parser",
        command="scope bench parser",
        seeds=(0,),
        n_expected=GENEVAL_PROMPTS + DSG_PROMPTS + 2 * POCKET_CAPTIONS,
        rows=(geneval(grammar), dsg(grammar), pocket(grammar), world(grammar)),
    )


def geneval(grammar: Grammar) -> Row:
    """Return the share of GenEval's prompts that are read exactly as its metadata says."""
    items = [json.loads(line) for line in _data("geneval/evaluation_metadata.jsonl").splitlines()]
    _check_count("GenEval", len(items), GENEVAL_PROMPTS)
    specs = [grammar.decompose(item["prompt"]) for item in items]
    exact = [meaning(s) == _geneval_truth(item["include"]) for s, item in zip(specs, items, strict=True)]
    tags = Counter(item["tag"] for item in items)
    right = Counter(item["tag"] for item, ok in zip(items, exact, strict=True) if ok)
    note = ", ".join(f"{tag} {right[tag]}/{n}" for tag, n in tags.items())
    return Row(name="geneval", metrics={"exact": share(sum(exact), len(exact)), "coverage": coverage(specs)}, note=note)


def dsg(grammar: Grammar) -> Row:
    """Return how much of DSG's 1,060 freely worded prompts is read, and how many of its entities are found."""
    prompts: dict[str, tuple[str, list[str]]] = {}
    for line in csv.DictReader(StringIO(_data("dsg/dsg-1k-anns.csv"))):
        _, nouns = prompts.setdefault(line["item_id"], (line["text"], []))
        if noun := re.match(r"entity - whole \((.+?)\)$", line["tuple"].strip()):
            nouns.append(noun[1].lower())
    _check_count("DSG", len(prompts), DSG_PROMPTS)
    specs: list[Specification] = []
    recalled: list[bool] = []
    for text, nouns in prompts.values():
        spec = _parse(grammar, text)
        specs.append(spec)
        recalled += [_mentions(spec, noun) for noun in nouns]
    refused = sum(not s.commitments for s in specs)
    note = f"{refused} prompts name nothing to draw" if refused else ""
    metrics = {"coverage": coverage(specs), "recall": share(sum(recalled), len(recalled))}
    return Row(name="dsg", metrics=metrics, note=note)


def pocket(grammar: Grammar) -> Row:
    """Return the share of captions of the core pocket world that are read exactly as planned."""
    return _captions("pocket", grammar, sample)


def world(grammar: Grammar) -> Row:
    """Return that share of the whole pocket world: its styles, six relations, absent nouns and numbers on signs."""
    return _captions("world", grammar, sample_whole)


def _captions(name: str, grammar: Grammar, draw: Callable[[np.random.Generator], Plan]) -> Row:
    rng = np.random.default_rng(0)
    plans = [draw(rng) for _ in range(POCKET_CAPTIONS)]
    specs = [grammar.decompose(caption(plan, rng).text) for plan in plans]
    exact = [meaning(s) == _pocket_truth(plan) for s, plan in zip(specs, plans, strict=True)]
    return Row(name=name, metrics={"exact": share(sum(exact), len(exact)), "coverage": coverage(specs)})


def meaning(spec: Specification) -> Meaning:
    """Return a specification without ids: two with the same meaning ask for the same picture."""
    entities: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    for entity in spec.of(Type.PRESENCE):
        about = spec.about(entity.id)
        counts = [int(c.value) for c in about if c.type is Type.COUNT]
        colors = sorted(str(c.value) for c in about if c.type is Type.ATTRIBUTE and c.aspect == "color")
        entities[entity.id] = (str(entity.value), counts[0] if counts else 1, tuple(colors))
    relations = Counter((c.value, *(entities[t] for t in c.targets)) for c in spec.of(Type.RELATION))
    counted = {Type.PRESENCE, Type.COUNT, Type.RELATION}
    rest = Counter((c.type, c.value) for c in spec.commitments if c.type not in counted and c.aspect != "color")
    return Counter(entities.values()), relations, rest


def _geneval_truth(include: list[dict[str, Any]]) -> Meaning:
    entities = [(i["class"], i["count"], (i["color"],) if "color" in i else ()) for i in include]
    relations = [
        (item["position"][0], entities[at], entities[item["position"][1]])
        for at, item in enumerate(include)
        if "position" in item
    ]
    return Counter(entities), Counter(relations), Counter()


def _pocket_truth(plan: Plan) -> Meaning:
    entities = [(g.noun, g.count, (g.color,) if g.color else ()) for g in plan.groups]
    relations = [(plan.relation, *entities)] if plan.relation else []
    rest: list[tuple[Type, str]] = [(Type.SETTING, part) for part in parts(plan.setting) if plan.setting != "plain"]
    rest += [(Type.ABSENCE, noun) for noun in plan.absent]
    if plan.style in STYLES:
        rest.append((Type.STYLE, STYLES[plan.style].name))
    if plan.text:
        entities.append(("sign", 1, ()))
        rest.append((Type.TEXT, plan.text))
    return Counter(entities), Counter(relations), Counter(rest)


def coverage(specs: Iterable[Specification]) -> Metric:
    """Return the share of content words inside the span of a commitment that is not an unknown."""
    covered = total = 0
    for spec in specs:
        spans = [c.span for c in spec.commitments if c.span is not None and c.kind is not Kind.UNKNOWN]
        for word in Prompt(spec.prompt).content_words():
            total += 1
            covered += any(s.start <= word.start and word.end <= s.end for s in spans)
    return share(covered, total)


def _parse(grammar: Grammar, text: str) -> Specification:
    try:
        return grammar.decompose(text)
    except PromptError:
        return Specification(prompt=clean(text).text)


def _mentions(spec: Specification, noun: str) -> bool:
    """Return whether a noun of DSG is among the entities, settings or texts, whole or by its last word."""
    words = {str(c.value).lower() for c in spec.of(Type.PRESENCE, Type.SETTING, Type.TEXT)}
    spans = [c.span for c in spec.of(Type.PRESENCE, Type.SETTING) if c.span is not None]
    words |= {spec.prompt[s.start : s.end].lower() for s in spans}
    return any(form in words for form in _forms(noun)) or any(
        word.split()[-1:] == [form] for word in words for form in _forms(noun)
    )


def _forms(noun: str) -> Iterator[str]:
    yield noun
    yield singular(noun)
    yield from {noun.split()[-1], singular(noun.split()[-1])}


def _data(path: str) -> str:
    return (files("scope.benchmarks") / "data" / path).read_text(encoding="utf-8")


def _check_count(name: str, count: int, expected: int) -> None:
    if count != expected:
        raise ScopeError(f"the packaged {name} prompts are damaged: {count} of {expected} are there; reinstall scope")
