"""The prompts that people would write first: they are of the world, and are drawn with the defaults in a fresh home."""

import re
from collections import Counter
from pathlib import Path

import pytest
from conftest import Parts

from scope.benchmarks.experiments import first_prompts
from scope.benchmarks.experiments.first_prompts import GENERATORS, attempt, measure, prompts
from scope.config import Options, home
from scope.engine.verification import unknown_to
from scope.parsing.grammar import Grammar
from scope.protocols import Vocabulary
from scope.skills.layouts.rules import things_of
from scope.specification import Kind, Type
from scope.specification.geometry import canonical
from scope.testing import FakeGenerator, FakeVerifier
from scope.worlds.pocket.catalogue import COLORS, HELD_OUT_NOUNS, MAX_COUNT, MAX_LETTERS, NOUN_OF, SETTINGS, noun_of
from scope.worlds.pocket.vocabulary import with_names

pytestmark = pytest.mark.heavy
WORLD = with_names(
    Vocabulary(frozenset(NOUN_OF) | {"sign"}, frozenset(COLORS), frozenset(SETTINGS), MAX_COUNT, MAX_LETTERS)
)


def test_there_are_a_hundred_and_ten_of_all_kinds_and_the_world_knows_every_word() -> None:
    types: Counter[Type] = Counter()
    for prompt in prompts():
        spec = Grammar().decompose(prompt)
        assert [unknown_to(WORLD, c) for c in spec.commitments if unknown_to(WORLD, c)] == [], prompt
        assert not [c for c in spec.commitments if c.kind is Kind.UNKNOWN], prompt
        assert not {noun_of(str(c.value)) for c in spec.of(Type.PRESENCE)} & HELD_OUT_NOUNS, prompt
        assert all(canonical(str(c.value)) for c in spec.of(Type.RELATION)), prompt
        assert 1 <= len(things_of(spec)) <= 6
        types.update({c.type for c in spec.commitments})
    assert len(set(prompts())) == len(prompts()) == first_prompts.HUNDRED + 10
    of_ten = [Grammar().decompose(prompt).of(Type.SETTING) for prompt in prompts()[first_prompts.HUNDRED :]]
    assert [len(of_one) for of_one in of_ten] == [2] * 10  # a place, and its light or weather
    wanted = (Type.COUNT, Type.ATTRIBUTE, Type.RELATION, Type.SETTING, Type.TEXT, Type.STYLE, Type.ABSENCE)
    assert min(types[of] for of in wanted) >= 3


def test_none_of_them_is_a_prompt_of_a_test_or_a_document() -> None:
    root = Path(__file__).parents[1]
    pages = [*(root / "tests").rglob("*.py"), *(root / "docs").glob("*.md"), root / "README.md"]
    written = {line for page in pages for line in re.findall(r'["`#] ?([^"`\n]+)', page.read_text(encoding="utf-8"))}
    assert set(prompts()) & {line.strip() for line in written} == set()


@pytest.fixture
def drawing(parts: Parts, home: Path) -> list[FakeGenerator]:
    """Have fakes draw and judge what the real grammar reads; return the generators that were made."""
    made: list[FakeGenerator] = []

    def make(name: str) -> FakeGenerator:
        made.append(FakeGenerator(name=name))
        return made[-1]

    parts["language", "grammar"] = Grammar
    for name in GENERATORS:
        parts["generators", name] = lambda name=name: make(name)
    return made


def test_each_prompt_is_drawn_by_each_generator_and_all_that_is_met_is_counted(drawing: list[FakeGenerator]) -> None:
    results = measure(quick=True)
    rows = {row.name: row.metrics for row in results.rows}
    assert [row.name for row in results.rows] == [*GENERATORS, *prompts()[: first_prompts.QUICK]]
    total = sum(rows[prompt]["commitments"].value for prompt in prompts()[: first_prompts.QUICK])
    for name in GENERATORS:
        assert (rows[name]["exit_0"].value, rows[name]["exit_0"].n) == (1, first_prompts.QUICK)
        assert (rows[name]["met"].value, rows[name]["met"].n) == (1, total)
    assert [g.requests[0].text for g in drawing if g.requests] == list(prompts()[: first_prompts.QUICK]) * 2
    assert results.n_expected == 2 * first_prompts.QUICK


def test_what_is_missed_and_what_cannot_be_drawn_is_counted_with_its_exit_code(
    drawing: list[FakeGenerator], parts: Parts
) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"c1": "violated"})
    missed = attempt("a red apple", "ntm")
    assert (missed.exit, missed.met, missed.commitments) == (3, 2, 3)
    failed = attempt("a red apple", "no-such-generator")
    assert (failed.exit, failed.met, failed.commitments) == (2, 0, 3)
    assert "no-such-generator" in failed.error


def test_every_prompt_has_a_home_of_its_own(drawing: list[FakeGenerator], monkeypatch: pytest.MonkeyPatch) -> None:
    homes = []
    real = first_prompts.app.generate

    def generate(prompt: str, options: Options) -> object:
        homes.append((home(), any(home().iterdir())))
        return real(prompt, options=options)

    monkeypatch.setattr(first_prompts.app, "generate", generate)
    own = home()
    measure(quick=True)
    assert len({path for path, _ in homes}) == 2 * first_prompts.QUICK
    assert not any(full or path == own for path, full in homes)
