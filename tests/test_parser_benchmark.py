"""The benchmark of the grammar: what counts as read, as promised and as denied, and that its prompts are whole."""

import tomllib
from collections.abc import Iterable
from importlib.resources import files

import pytest

from scope.benchmarks.experiments import parser
from scope.benchmarks.reading import SETS, dsg, fuzz, judged, public, sentences, surfaces
from scope.benchmarks.reading.atoms import Atom, Score, score
from scope.benchmarks.reading.notation import atoms
from scope.errors import ScopeError
from scope.parsing.grammar import Grammar
from scope.specification import Cause, Commitment, Kind, Specification, Type

CAUSE = Cause.skill("decompose", "1")


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar()


def spec_of(said: Iterable[Atom]) -> Specification:
    """Return a specification that promises these atoms: the things first, called by small letters."""
    spec = Specification(prompt="a prompt")
    for at, atom in enumerate(sorted(said, key=lambda atom: atom.type != Type.PRESENCE)):
        (value,), things = atom.values, tuple(name.lower() for name in atom.things)
        if atom.type == Type.PRESENCE:
            whole = things[1] if things[1:] else None
            c = Commitment(
                id=things[0], kind=Kind.ENTITY, type=Type.PRESENCE, claim=value, value=value, part_of=whole,
                depends_on=things[1:],
            )  # fmt: skip
        else:
            number = int(value) if atom.type == Type.COUNT else value
            c = Commitment(
                id=f"c{at}", kind=Kind.CONSTRAINT, type=Type(atom.type), claim=value, value=number, targets=things,
                denied=atom.denied, comparator=atom.comparator, upto=atom.upto,
            )  # fmt: skip
        spec = spec.declare(c, CAUSE)
    return spec


def scored(truth: str, read: str) -> Score:
    return score(atoms(truth), spec_of(atoms(read)))


ON = "A: cat; B: mat; A -on- B"


@pytest.mark.parametrize(
    ("truth", "read", "missed", "spurious"),
    [
        (ON, ON, 0, 0),
        (ON, "A: mat; B: cat; B -on- A", 0, 0),  # names are nothing
        (ON, "A: cat; B: mat; B -on- A", 1, 1),  # direction is something
        (ON, "A: cat; B: mat; A -under- B", 1, 1),
        (ON, "A: cat; B: mat; A !-on- B", 1, 1),
        (ON, "A: cat", 2, 0),
        (ON, ON + "; A is black", 0, 1),  # nobody said so
        (ON, ON + "; A -on- B", 0, 1),  # once is enough
        ("A: cat; A is red/scarlet", "A: cat; A is scarlet", 0, 0),
        ("A: cat; A = 2", "A: cat; A >= 2", 1, 1),
        ("A: cat; A = 3-5", "A: cat; A = 3-5", 0, 0),
        ("A: cat; A = 3-5", "A: cat; A = 3-4", 1, 1),
        ("A: cat; ?A = 1", "A: cat", 0, 0),  # may be said, and need not
        ("A: cat; ?A = 1", "A: cat; A = 1", 0, 0),
        ("A: cat; ?A = 1", "A: cat; A = 2", 0, 1),
        ("A: cat; B: cat; A is red; B is blue", "C: cat; D: cat; C is blue; D is red", 0, 0),
        ("A: cat; B: cat; A is red; B is blue", "A: cat; A is red; A is blue", 2, 1),
        ("W: cat; A: cat of W; A is red", "W: cat; A: cat of W; A is red", 0, 0),
        ("W: cat; A: cat of W; A is red", "W: cat; W is red", 2, 1),
        ("A: x; B: y; C: z; A -between- B, C", "A: x; B: y; C: z; A -between- C, B", 0, 0),
        ("A: x; B: y; A <bigger than> B", "A: x; B: y; B <bigger than> A", 1, 1),
        ("A: sign; A says STOP", "A: sign; says STOP", 1, 1),  # but not on the sign
        ("no dog; setting beach; style anime", "no dog; setting beach; style anime", 0, 0),
    ],
)
def test_an_atom_is_read_where_all_of_it_is_said(truth: str, read: str, missed: int, spurious: int) -> None:
    found = scored(truth, read)
    assert (len(found.missed), len(found.spurious)) == (missed, spurious)
    assert found.whole is (missed == spurious == 0)


@pytest.mark.parametrize(
    ("truth", "read", "broken"),
    [
        ("A: man; no hat", "A: man; B: hat", 1),
        ("A: man; no hat", "A: man; no hat", 0),
        ("A: man; no hat", "A: man", 0),  # missed, but not promised
        ("A: dog; B: dog; B isn't red", "A: dog; B: dog; B is red", 1),
        ("A: dog; A is red; no cat", "A: dog; A is red", 0),
        ("A: cat; B: mat; A !-on- B", "A: cat; B: mat; A -on- B", 1),
        ("A: sign; A !says STOP", "A: sign; A says STOP", 1),
        ("A: dog; no dog", "A: dog", 0),  # one that is there by right
        ("A: dog; no dog", "A: dog; B: dog", 1),
    ],
)
def test_a_denial_is_broken_by_the_promise_of_what_it_denies(truth: str, read: str, broken: int) -> None:
    assert len(scored(truth, read).broken) == broken


def test_a_choice_is_an_atom_and_other_unknowns_promise_nothing() -> None:
    unknown = Commitment(id="u1", kind=Kind.UNKNOWN, type=Type.SEMANTIC_REASONING, claim="?", value="?")
    choice = unknown.model_copy(update={"alternatives": ("a dog", "a cat")})
    truth = atoms("or cat/dog")
    assert score(truth, Specification(prompt="x").declare(choice, CAUSE)).whole
    other = score(truth, Specification(prompt="x").declare(unknown, CAUSE))
    assert (len(other.missed), other.promised, other.unknowns) == (1, 0, 1)


def test_a_statement_outside_the_notation_is_refused() -> None:
    with pytest.raises(ScopeError, match="no statement"):
        atoms("A: cat; A frobs B")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("half", sentences.HALVES)
def test_sentences_say_their_truth_and_are_the_same_each_time(name: str, half: sentences.Half) -> None:
    drawn = sentences.sentences(name, half, 60)
    assert drawn == sentences.sentences(name, half, 60)
    assert len({s.text for s in drawn}) > 50
    for sentence in drawn:
        assert "[" not in sentence.text
        assert "{" not in sentence.text
        named = {name for atom in sentence.truth if atom.type == Type.PRESENCE for name in atom.things}
        assert {name for atom in sentence.truth for name in atom.things} <= named, sentence


def test_the_halves_share_neither_templates_nor_open_words() -> None:
    for name in SETS:
        dev, test = (set(sentences._templates(name)[half]) for half in sentences.HALVES)
        assert dev
        assert test
        assert len(dev & test) <= 1, name  # the plainest chain is a template of both
    words = tomllib.loads((files("scope.benchmarks") / "data/reading/words.toml").read_text(encoding="utf-8"))
    for kind in ("noun", "pet", "held", "worn", "color", "material", "quality", "texture", "style", "verb"):
        dev, test = ({word.strip() for word in words[half][kind].split(",")} for half in sentences.HALVES)
        assert not dev & test, kind


@pytest.mark.parametrize(
    ("prompt", "kind", "parts", "read"),
    [
        ("two red cats", "other - count", ("cats", "==2"), True),
        ("two red cats", "other - count", ("cats", "==3"), False),
        ("two red cats", "attribute - color", ("cats", "red"), True),
        ("two red cats and a blue dog", "attribute - color", ("dog", "red"), False),
        ("a man in red shorts", "attribute - color", ("man's shorts", "red"), True),
        ("a cat on a mat", "relation - spatial", ("cat", "mat", "on"), True),
        ("a cat on a mat", "relation - spatial", ("mat", "cat", "on"), False),
        ("a cat to the left of a dog", "relation - spatial", ("dog", "cat", "right of"), True),
        ("a cat on a beach", "entity - whole", ("beach",), True),
        ("a cat on a beach", "entity - whole", ("dog",), False),
    ],
)
def test_a_tuple_is_read_of_the_thing_that_it_names(
    grammar: Grammar, prompt: str, kind: str, parts: tuple[str, ...], read: bool
) -> None:
    (answers,) = dsg.read(grammar.decompose(prompt), [(kind, parts)]).values()
    assert answers == [read]


@pytest.mark.parametrize(
    ("prompt", "noun"),
    [
        ('a wooden sign that reads "EXIT"', "sign"),
        ('stickers displaying the text "HI" on a laptop', "sticker"),
        ('a sign with bold text that reads "EXIT"', None),  # what is written is on no text
        ('a wall, "EXIT" in red', None),
    ],
)
def test_a_surface_is_known_where_the_prompt_says_it_in_so_many_words(prompt: str, noun: str | None) -> None:
    assert surfaces.surface(prompt) == noun


@pytest.mark.parametrize(
    ("thing", "taken"), [("image", True), ("warm hue", True), ("palette", False), ("photo", False)]
)
def test_the_picture_is_no_thing_in_it(thing: str, taken: bool) -> None:
    assert parser.takes_the_picture_for_a_thing(spec_of(atoms(f"A: {thing}"))) is taken


def test_the_packaged_prompts_are_whole() -> None:
    assert {name: len(public.prompts(name)) for name in public.SIZES} == public.SIZES
    assert len(judged.drawn()) == 2 * judged.EACH


def test_a_claim_that_nobody_judged_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judged, "_judgements", dict)
    with pytest.raises(ScopeError, match="nobody judged them"):
        parser.judged_row(parser.Reader(), 2)


def test_of_two_claims_in_the_same_words_each_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"p": {"cat": "right", "cat (2)": "duplicate"}}
    monkeypatch.setattr(judged, "_judgements", lambda: known)
    spec = spec_of(atoms("A: cat; B: cat; A is red"))
    assert [claim.verdict for claim in judged.judge("p", spec)] == ["right", "duplicate", None]


def test_fuzzed_prompts_are_read_or_refused(grammar: Grammar) -> None:
    real = list(public.prompts("geneval").values())
    assert list(fuzz.prompts(5, real)) == list(fuzz.prompts(5, real))
    assert parser.fuzz_row(grammar, 100).metrics["crashes"].value == 0


@pytest.mark.heavy
def test_a_small_sample_of_all_sets_is_measured() -> None:
    results = parser.measure(quick=True)
    rows = {row.name: {name: metric.value for name, metric in row.metrics.items()} for row in results.rows}
    assert set(SETS) | {f"{name}_dev" for name in SETS} <= set(rows)
    for name in ("geneval", "pocket", "world"):
        assert rows[name]["whole"] == 1, name
    for name in SETS:
        assert rows[f"{name}_dev"]["recall"] >= 0.95, name
        assert rows[f"{name}_dev"]["precision"] >= 0.95, name
    assert rows["denials"]["promised_denials"] == rows["denials_dev"]["promised_denials"] == 0
    assert rows["fuzz"]["crashes"] == 0
