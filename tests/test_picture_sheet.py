"""The sheet of pictures in the documents: every prompt by every seed, each with its whole proof."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Cli, Parts
from PIL import Image

from scope.benchmarks.experiments.pictures import PROMPTS, SEEDS, make
from scope.benchmarks.results import load
from scope.engine.verification import unknown_to
from scope.errors import ScopeError
from scope.parsing.grammar import Grammar
from scope.protocols import Vocabulary
from scope.testing import FakeGenerator, FakeVerifier
from scope.worlds.pocket.catalogue import COLORS, HELD_OUT_NOUNS, MAX_COUNT, MAX_LETTERS, NOUN_OF, SETTINGS

pytestmark = pytest.mark.heavy
SIDE = 64
WORLD = Vocabulary(
    frozenset(NOUN_OF) - HELD_OUT_NOUNS | {"sign"}, frozenset(COLORS), frozenset(SETTINGS), MAX_COUNT, MAX_LETTERS
)


@pytest.fixture
def generators(parts: Parts, home: Path) -> list[FakeGenerator]:
    """Have fakes draw and judge what the real grammar reads; return the generators that were made."""
    made: list[FakeGenerator] = []

    def generator() -> FakeGenerator:
        made.append(FakeGenerator(name="ntm", size=SIDE))
        return made[-1]

    parts["language", "grammar"] = Grammar
    parts["generators", "ntm"] = generator
    parts["verifiers", "objects"] = lambda: FakeVerifier({"style": "violated"})
    return made


def test_the_world_knows_every_word_of_its_prompts() -> None:
    for prompt in PROMPTS:
        assert [unknown_to(WORLD, c) for c in Grammar().decompose(prompt).commitments if unknown_to(WORLD, c)] == []


@pytest.mark.slow
def test_the_command_draws_every_prompt_by_every_seed_and_stores_every_proof(
    cli: Cli, generators: list[FakeGenerator]
) -> None:
    done = cli("bench", "pictures")
    assert done.stdout.splitlines() == ["docs/img/pictures.png", "results/pictures.json"]
    results = load(Path("results/pictures.json"))
    assert [row.name for row in results.rows] == [f"{prompt}, seed {seed}" for prompt in PROMPTS for seed in SEEDS]
    asked = [(g.requests[0].text, g.requests[0].seed) for g in generators if g.requests]
    assert [text for text, _ in asked] == [prompt for prompt in PROMPTS for _ in SEEDS]
    assert len(set(asked)) == len(asked) == 24
    for row, prompt in zip(results.rows, (p for p in PROMPTS for _ in SEEDS), strict=True):
        commitments = Grammar().decompose(prompt).commitments
        missed = sum(c.type == "style" for c in commitments)
        assert row.metrics["commitments"].value == len(commitments)
        assert row.metrics["met"].value == len(commitments) - missed
        assert row.metrics["exit"].value == (3 if missed else 0)
        assert all(f"{c.id} {c.claim}: {'violated' if c.type == 'style' else 'met'}" in row.note for c in commitments)
    with Image.open("docs/img/pictures.png") as sheet:
        pixels = np.asarray(sheet)
    cells = [
        pixels[46 + r * (SIDE + 2) :][:SIDE, 56 + c * (SIDE + 2) :][:, :SIDE].tobytes()
        for r in range(3)
        for c in range(8)
    ]
    assert len(set(cells)) == 24
    assert all(np.frombuffer(cell, np.uint8).std() > 30 for cell in cells)  # noise, and no white page


def test_where_nothing_is_drawn_there_is_no_sheet(
    generators: list[FakeGenerator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scope.engine.result.Result.image", None)
    with pytest.raises(ScopeError, match="nothing was drawn of 'two red apples"):
        make(tmp_path / "pictures.png")
    assert not (tmp_path / "pictures.png").exists()
