"""The use cases that every door shares, as Python has them: `import scope` and one call."""

import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Parts
from PIL import Image
from prompts import PROMPT

import scope
from scope import app, errors
from scope.config import Options
from scope.protocols import DEFAULT_GENERATOR, OnStep, Picture, ignore_steps
from scope.runs import store
from scope.runs.marks import sidecar
from scope.runs.png import read_record, save_png
from scope.specification import Commitment, Request, Type
from scope.testing import FakeGenerator, FakeVerifier

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _here(parts: Parts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fakes for the parts, a home, and an empty folder to be in."""
    monkeypatch.chdir(tmp_path)


class FakeEditor:
    """Paints a picture red where something is to be red; keeps what it was asked for."""

    name, version, reads = "brush", "1", frozenset({"edit"})

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def handles(self, commitment: Commitment) -> bool:
        return commitment.type is Type.ATTRIBUTE

    def edit(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        (request,) = requests
        assert request.edit is not None
        self.asked.append((request.text, *(c.claim for c in request.edit.toward)))
        with Image.open(request.edit.image.path) as image:
            return [Picture(Image.new("RGB", image.size, "red"))]


# -- a result ------------------------------------------------------------------------------------


def test_generate_is_one_call() -> None:
    result = scope.generate(PROMPT, seed=3, drafts=1)
    assert result.image is not None
    assert result.image.mode == "RGB"
    assert result.path is not None
    assert result.path.is_absolute()
    assert result.run is not None
    assert result.path == result.run.folder.absolute() / "picture.png"
    assert result.run.manifest.options == Options(seed=3, drafts=1, learned=False)
    assert list(Path().iterdir()) == []
    record = read_record(result.path)
    assert (record.specification.prompt, record.options["seed"]) == (PROMPT, 3)
    assert record.weights == {"fake.safetensors": "ab" * 32}


def test_generate_writes_where_it_is_told(tmp_path: Path) -> None:
    named = scope.generate(PROMPT, output="a.png", metadata=False)
    assert named.path == tmp_path / "a.png"
    assert not sidecar(tmp_path / "a.png").exists()
    in_folder = scope.generate(PROMPT, output=tmp_path)
    assert in_folder.path == tmp_path / "2-red-apple-left-of-1-blue-car-on-beach-0.png"
    assert sidecar(in_folder.path).is_file()


def test_generate_says_what_is_wrong_with_the_order_before_a_run_is_made(home: Path) -> None:
    for error, wrong in (
        (errors.UsageError, {"drafts": 0}),
        (errors.UsageError, {"draft": 1}),
        (errors.UsageError, {"output": "a.jpg"}),
        (errors.OutputError, {"output": "nowhere/a.png"}),
        (errors.PluginError, {"generator": "nobody's"}),
        (TypeError, {"options": Options(), "drafts": 1}),
    ):
        with pytest.raises(error):
            scope.generate(PROMPT, **wrong)
    with pytest.raises(errors.PromptError):
        scope.generate("")
    with pytest.raises(TypeError, match="a prompt is a text, not NoneType"):
        scope.generate(None)  # type: ignore[arg-type]
    assert not (home / "runs").exists()


def test_generate_tells_its_progress() -> None:
    stages: list[str] = []
    scope.generate(PROMPT, on_event=lambda progress: stages.append(progress.stage))
    assert (stages[0], stages[-1]) == ("decompose", "finish")


def test_proof_has_a_row_for_each_commitment(parts: Parts) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"count": "violated"})
    result = scope.generate(PROMPT, max_rounds=0)
    verdicts = {row.commitment: row.verdict for row in result.proof.rows}
    outcome = result.outcome
    assert outcome.best is not None
    assert verdicts == {v.commitment: v.outcome for v in outcome.verdicts[outcome.best.id]}
    assert result.proof.met == sum(verdict == "met" for verdict in verdicts.values()) == 6
    lines = str(result.proof).splitlines()
    assert lines[0].split() == ["id", "commitment", "verdict", "evidence", "verifier", "skill", "attempts"]
    assert lines[-1] == "6 of 8 commitments met"
    assert len({line.index(row.verdict) for line, row in zip(lines[1:], result.proof.rows, strict=False)}) == 1


def test_what_was_given_up_is_not_counted(parts: Parts) -> None:
    proof = scope.generate("1 red apple").proof
    assert proof.summary == "3 of 3 commitments met"
    waived = proof.rows[0].model_copy(update={"verdict": "waived"})
    assert proof.model_copy(update={"rows": (waived, *proof.rows[1:])}).summary == "2 of 2 commitments met, 1 waived"


def test_a_notebook_shows_picture_and_proof() -> None:
    result = scope.generate("1 red apple on beach saying <b>")
    png = result._repr_png_()
    assert png is not None
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png)).convert("RGB")), np.asarray(result.image))
    page = result._repr_html_()
    assert page.startswith('<img alt="1 red apple on beach saying &lt;b&gt;" src="data:image/png;base64,')
    assert page.count("<tr>") == 1 + len(result.proof.rows)
    assert "<b>" not in page


# -- runs that were made -------------------------------------------------------------------------


def test_load_run_finds_it_by_all_its_names() -> None:
    made = scope.generate(PROMPT, output="a.png")
    assert made.run is not None
    names = [made.run.id, made.run.folder, made.run.folder / "drafts" / "d1.png", "a.png"]
    for loaded in map(scope.load_run, names):
        assert loaded.outcome == made.outcome
        assert loaded.proof == made.proof
        assert np.array_equal(np.asarray(loaded.image), np.asarray(made.image))


def test_load_run_of_a_picture_from_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = scope.generate(PROMPT, output="a.png")
    monkeypatch.setenv("SCOPE_HOME", str(tmp_path / "another"))
    loaded = scope.load_run("a.png")
    assert loaded.run is None
    assert loaded.path == tmp_path / "a.png"
    assert loaded.proof == made.proof
    assert loaded.outcome.exit == made.outcome.exit == 0
    assert scope.show(loaded) == tmp_path / "a.html"


def swapped(result: scope.Result, number: int) -> Path:
    """Overwrite a draft of a run with another picture; return its path."""
    assert result.run is not None
    path = result.run.folder / result.outcome.drafts[number].path
    Image.new("RGB", (64, 64), "lime").save(path)
    return path


def test_another_picture_is_never_handed_out_as_the_proven_one() -> None:
    made = scope.generate(PROMPT)
    assert made.run is not None
    best = [draft.id for draft in made.outcome.drafts].index(made.outcome.best.id if made.outcome.best else "")
    path = swapped(made, best)
    said = f"{path.relative_to(made.run.folder)} is not the picture that was made"
    for attempt in (
        lambda: scope.resume(made.run.id, output="x.png"),
        lambda: scope.load_run(made.run.id).image,
        lambda: scope.load_run(made.run.id)._repr_png_(),
    ):
        with pytest.raises(errors.StateCorrupt, match=said):
            attempt()
    assert not Path("x.png").exists()
    assert "<img" not in scope.load_run(made.run.id)._repr_html_()


@pytest.mark.parametrize("content", [None, b"", b"\x89PNG\r\n\x1a\n broken"])
def test_a_draft_that_was_changed_is_left_out_of_the_report_and_said(content: bytes | None) -> None:
    made = scope.generate(PROMPT, drafts=2)
    assert made.run is not None
    assert made.lost == ()
    path = swapped(made, 1)
    if content is not None:
        path.write_bytes(content)
    loaded = scope.load_run(made.run.id)
    assert loaded.lost == ("the picture of draft d2 is left out: it is gone, or not the one that was made",)
    page = scope.show(loaded).read_text()
    assert page.count("<image ") == made.html().count("<image ") - 1 == 1
    assert loaded.lost[0] in page


def test_a_result_whose_picture_is_gone_keeps_its_proof() -> None:
    made = scope.generate(PROMPT, output="a.png")
    Path("a.png").unlink()
    for attempt in (lambda: made.image, made._repr_png_):
        with pytest.raises(errors.ImageError, match=r"a\.png: there is no such file"):
            attempt()
    assert made._repr_html_() == made.proof._repr_html_()


@pytest.mark.parametrize("run", [None, ""])
def test_a_picture_of_no_run_is_never_explained_by_another(run: str | None) -> None:
    made = scope.generate(PROMPT, output="a.png")
    app.start(app.plan("1 blue car", Options()))  # the latest that is unfinished
    record = json.loads(sidecar(Path("a.png")).read_text())
    sidecar(Path("a.png")).write_text(json.dumps(record | {"run": run}))
    loaded = scope.load_run("a.png")
    assert loaded.run is None
    assert loaded.proof == made.proof


def test_a_damaged_run_does_not_hide_the_record_of_its_picture() -> None:
    made = scope.generate(PROMPT, output="a.png")
    assert made.run is not None
    (made.run.folder / "run.json").write_bytes(b"")
    loaded = scope.load_run("a.png")
    assert loaded.proof == made.proof
    assert loaded.outcome.notes == ("Its run cannot be read: this is what the picture itself records.",)
    with pytest.raises(errors.StateCorrupt):
        scope.load_run(made.run.drafts / "d1.png")


def test_resume_draws_what_was_started_to_where_it_was_to_go(tmp_path: Path) -> None:
    run = app.start(app.plan(PROMPT, Options(seed=5), "a.png"))
    with pytest.raises(errors.UsageError, match="never began"):
        scope.load_run(run.id)
    assert scope.resume().path == tmp_path / "a.png"
    assert scope.resume(run.id, output="b.png").path == tmp_path / "b.png"
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_plan_counts_drafts_within_the_budget() -> None:
    assert app.plan(PROMPT, Options(drafts=3, max_rounds=1)).most_drafts == 6
    assert app.plan(PROMPT, Options(drafts=3, max_rounds=1, max_images=4)).most_drafts == 4
    assert app.plan("1 zzyx", Options()).unknown == ("the word 'zzyx'",)
    assert store.list_runs() == []


def test_rerun_is_the_same_picture() -> None:
    made = scope.generate(PROMPT, output="a.png")
    again = scope.rerun("a.png")
    assert again.same
    assert made.path is not None
    assert again.path.read_bytes() == made.path.read_bytes()


# -- editing -------------------------------------------------------------------------------------


def test_edit_without_an_editor_is_one_clear_error() -> None:
    scope.generate(PROMPT, output="a.png")
    with pytest.raises(errors.PluginError, match="no editor is installed"):
        scope.edit("a.png", "1 red apple")


def test_edit_with_an_installed_editor(parts: Parts, tmp_path: Path) -> None:
    editor = FakeEditor()
    parts["editors", "brush"] = lambda: editor
    made = scope.generate("1 green apple", output="a.png")
    changed = scope.edit(made, "1 red apple")
    assert changed.path == tmp_path / "a-edited.png"
    assert changed.image is not None
    assert changed.image.getcolors() == [(64, (255, 0, 0))]
    assert editor.asked == [("1 red apple", "attribute of red")]
    assert [(row.claim, row.verdict) for row in changed.proof.rows] == [
        ("presence of apple", "met"),
        ("count of 1", "met"),
        ("attribute of red", "met"),
    ]
    assert changed.outcome.exit == 0
    assert read_record(changed.path).draft.generator == "brush@1"
    assert scope.load_run(changed.path).proof == changed.proof


def test_edit_says_what_the_editor_cannot_do(parts: Parts) -> None:
    parts["editors", "brush"] = FakeEditor
    save_png(Path("a.png"), Image.new("RGB", (8, 8)), None)
    with pytest.raises(errors.UsageError, match="brush knows no edit towards any of: presence of apple; count of 1"):
        scope.edit("a.png", "1 apple")


def test_edit_of_several_editors_asks_which(parts: Parts) -> None:
    parts["editors", "brush"] = parts["editors", "pen"] = FakeEditor
    save_png(Path("a.png"), Image.new("RGB", (8, 8)), None)
    with pytest.raises(errors.UsageError, match=r"several editors are installed \(brush, pen\)"):
        scope.edit("a.png", "1 red apple")
    assert scope.edit("a.png", "1 red apple", editor="pen").outcome.exit == 0


# -- wherever it is called -----------------------------------------------------------------------


def test_generate_in_threads(parts: Parts) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, delay=0.05)
    results: list[scope.Result] = []
    threads = [
        threading.Thread(target=lambda seed=seed: results.append(scope.generate(PROMPT, seed=seed)))
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {result.run.manifest.options.seed for result in results if result.run} == {0, 1, 2}
    assert all(result.outcome.exit == 0 for result in results)


#: A script as people write them: nothing guards its top level. A notebook has an event loop that runs meanwhile.
SCRIPT = """
import asyncio
from scope.plugins import registry
from scope.testing import FakeGenerator, FakeReader, FakeVerifier
parts = {"generators": FakeGenerator, "verifiers": FakeVerifier, "language": FakeReader}
registry.load = lambda kind, name: parts[kind]
registry.names = lambda kind: ["one"] if kind == "verifiers" else []
registry.installed = lambda kind: []

import scope

print(scope.generate("1 red apple").path)

async def cell():
    return scope.generate("1 blue car").proof

print(asyncio.run(cell()))
"""


@pytest.mark.heavy
def test_generate_in_a_script_without_a_guard(home: Path) -> None:
    Path("script.py").write_text(SCRIPT)
    environment = os.environ | {"SCOPE_HOME": str(home)}
    done = subprocess.run([sys.executable, "script.py"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path, *proof = done.stdout.splitlines()
    assert Path(path).is_file()
    assert proof[-1] == "3 of 3 commitments met"


# -- the package ---------------------------------------------------------------------------------


def test_every_name_of_the_package_is_there_and_listed() -> None:
    assert sorted(scope._MODULE_OF) == sorted(set(scope.__all__) - {"__version__"})
    for name in scope.__all__:
        assert getattr(scope, name) is not None
        assert name in dir(scope)
    with pytest.raises(AttributeError, match="module 'scope' has no attribute 'paint'"):
        scope.paint  # noqa: B018


def test_the_package_is_imported_without_anything_else() -> None:
    look = (
        "import sys, json, scope; print(json.dumps([m for m in sys.modules if m.startswith(('scope.', 'pydantic'))]))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, cwd=ROOT, check=True)
    assert json.loads(done.stdout) == []
