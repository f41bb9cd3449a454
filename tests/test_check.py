"""`scope check`: pictures that others made are judged as a run judges its own, and nothing is drawn or guessed."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from conftest import Cli, Parts
from PIL import Image
from prompts import PROMPT

import scope
from scope import errors
from scope.protocols import DEFAULT_GENERATOR
from scope.specification import Box, Observation, Status
from scope.testing import FakeGenerator, FakeVerifier
from scope.verifiers.drawings import looks_drawn


@pytest.fixture(autouse=True)
def _nothing_is_drawn(parts: Parts) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: pytest.fail("a generator was made")


def picture(name: str = "theirs.png", colour: str = "red") -> Path:
    Image.new("RGB", (16, 8), colour).save(name)
    return Path(name)


# -- one picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["theirs.png", "theirs.jpg", "theirs.webp"])
def test_a_picture_is_judged_as_a_run_judges_its_own(cli: Cli, home: Path, name: str) -> None:
    done = cli("check", picture(name), PROMPT)
    assert done.exit_code == 0, done.stderr
    assert "8 of 8 commitments met; judged in" in done.stdout
    assert done.stdout.splitlines()[-1] == str(Path.cwd() / name)
    assert list(home.iterdir()) == []
    assert [path.name for path in Path().iterdir()] == [name]


@pytest.mark.parametrize(("outcome", "code"), [("met", 0), ("violated", 3), (None, 3)])
def test_exit_codes_and_json_are_those_of_a_run(cli: Cli, parts: Parts, outcome: str | None, code: int) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"count": outcome})
    done = cli("check", picture(), PROMPT, "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == report["exit"] == code
    assert {c["outcome"] for c in report["commitments"] if c["type"] == "count"} == {outcome}
    assert report["image"] == str(Path.cwd() / "theirs.png")
    assert [draft["generator"] for draft in report["drafts"]] == ["given@1"]


def test_what_is_wrong_with_a_picture_or_a_prompt_is_one_line(cli: Cli) -> None:
    Path("text.png").write_text("no picture")
    for arguments, code, said in (
        (("nowhere.png", PROMPT), 1, "there is no such file"),
        (("text.png", PROMPT), 1, "not a PNG, JPEG or WEBP"),
        ((picture(), ""), 2, "nothing"),
        ((picture(), PROMPT, "--verifiers", "nobody"), 2, "no verifiers named 'nobody'"),
        ((picture(), PROMPT, "--spec", "nowhere.yaml"), 2, "--spec FILE"),
        ((picture(), "--spec", "nowhere.yaml"), 2, "there is no such file"),
        ((picture(), PROMPT, "--region", "a zzyx=1,1,2,2"), 2, "zzyx"),
    ):
        done = cli("check", *arguments)
        assert (done.exit_code, said in done.stderr, done.stdout) == (code, True, ""), done.stderr


def test_the_report_shows_the_boxes_on_the_pixels_that_were_judged(cli: Cli, parts: Parts) -> None:
    seen = Observation(label="a red apple", box=Box.of(100, 100, 500, 500))
    parts["verifiers", "objects"] = lambda: FakeVerifier(seen={"presence": [seen]})
    done = cli("check", picture("theirs.jpg"), PROMPT, "--report", "report.html")
    assert done.exit_code == 0, done.stderr
    page = Path("report.html").read_text()
    assert page.count("<image ") == 1
    assert 'class="met" x="2" y="1"' in page


def test_a_place_that_a_person_names_is_judged(cli: Cli, parts: Parts) -> None:
    seen = Observation(label="a red apple", box=Box.of(0, 0, 500, 500))
    parts["verifiers", "objects"] = lambda: FakeVerifier(seen={"presence": [seen]})
    assert cli("check", picture(), "1 apple", "--region", "apple=0,0,500,500").exit_code == 0
    done = cli("check", picture(), "1 apple", "--region", "apple=500,500,1000,1000")
    assert done.exit_code == 3
    assert "where you put it" in " ".join(done.stdout.split())


def test_a_specification_may_stand_for_the_prompt(cli: Cli) -> None:
    cli("spec", PROMPT, "-o", "spec.yaml")
    by_prompt, by_file = (
        json.loads(cli("check", picture(), *by, "--json").stdout) for by in ((PROMPT,), ("--spec", "spec.yaml"))
    )
    assert by_file["commitments"] == by_prompt["commitments"]


def test_an_unknown_is_looked_up_as_a_run_does_it(cli: Cli, tmp_path: Path) -> None:
    done = cli("check", picture(), "1 apple ?sleepy", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 3
    assert {c["id"]: c["outcome"] for c in report["commitments"]}["u1"] is None
    assert any("u1" in note for note in report["notes"])


# -- from Python ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("cli")
def test_check_is_one_call_and_takes_pictures_that_lie_in_no_file() -> None:
    image = Image.new("RGB", (16, 8), "red")
    image.save("theirs.png")
    in_memory, in_file = scope.check(image, PROMPT), scope.check("theirs.png", PROMPT)
    assert in_file.path == Path.cwd() / "theirs.png"
    assert in_memory.path is None
    for result in (in_memory, in_file):
        assert np.array_equal(np.asarray(result.image), np.asarray(image))
        assert result.proof.summary == "8 of 8 commitments met"
        assert result.outcome.exit == 0
        assert result.outcome.spec.where(Status.MET) == result.outcome.spec.commitments
        assert result._repr_png_()
        assert "<image " in result.html()
    image.paste("blue", (0, 0, 16, 8))
    image.save("theirs.png")
    assert np.asarray(in_file.image)[0, 0].tolist() == [255, 0, 0]  # what was judged, whatever the file holds now
    with pytest.raises(TypeError, match="NoneType"):
        scope.check(image, None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("cli")
def test_what_one_picture_was_drawn_by_may_be_asked_of_another(parts: Parts) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR)
    drawn = scope.generate("1 apple ?sleepy", drafts=1, max_rounds=0).outcome.spec
    checked = scope.check(Image.new("RGB", (16, 8), "red"), drawn).outcome
    assert checked.spec.commitments == drawn.commitments
    assert {event.draft for event in checked.spec.events} == {None, "d1"}
    again = scope.generate(drawn, drafts=1, max_rounds=0).outcome
    assert again.best is not None
    assert again.spec.statuses() == drawn.statuses()


# -- nothing is guessed --------------------------------------------------------------------------


class Narrow(FakeVerifier):
    """Sees nothing in what is not red."""

    def why_blind(self, image: Image.Image) -> str:
        return "" if image.getpixel((0, 0)) == (255, 0, 0) else "it knows red alone"


@pytest.mark.parametrize(("colour", "outcome"), [("red", "met"), ("blue", None)])
def test_a_verifier_that_sees_nothing_in_a_picture_is_not_asked(
    cli: Cli, parts: Parts, colour: str, outcome: str | None
) -> None:
    verifier = Narrow()
    parts["verifiers", "objects"] = lambda: verifier
    report = json.loads(cli("check", picture(colour=colour), PROMPT, "--json").stdout)
    assert {c["outcome"] for c in report["commitments"]} == {outcome}
    assert bool(verifier.asked) is (outcome is not None)
    assert outcome or {c["reason"] for c in report["commitments"]} == {"it knows red alone"}


def test_another_verifier_may_see_what_one_is_blind_to(cli: Cli, parts: Parts) -> None:
    parts["verifiers", "objects"] = Narrow
    parts["verifiers", "text"] = lambda: FakeVerifier(name="other")
    report = json.loads(cli("check", picture(colour="blue"), PROMPT, "--json").stdout)
    assert {c["verifier"] for c in report["commitments"]} == {"other@1"}


def test_noise_is_no_drawing_and_even_shading_is_one() -> None:
    rng = np.random.default_rng(0)
    ramp = np.tile(np.linspace(0, 255, 128, dtype=np.float32)[:, None, None], (1, 128, 3))
    assert looks_drawn(ramp)
    assert not looks_drawn(ramp + rng.normal(0, 8, ramp.shape).astype(np.float32))


# -- many ----------------------------------------------------------------------------------------


def folder() -> Path:
    """Two pictures with captions, one without, and one that is none."""
    path = Path("pictures")
    path.mkdir()
    for name, words in (("a", PROMPT), ("b", "1 blue car")):
        picture(str(path / f"{name}.png"))
        (path / f"{name}.txt").write_text(words)
    picture(str(path / "c.png"))
    (path / "d.jpg").write_text("no picture")
    (path / "d.txt").write_text(PROMPT)
    return path


def test_a_folder_with_captions_goes_on_past_what_cannot_be_judged(cli: Cli) -> None:
    done = cli("check", folder(), "--json", "--junit", "out.xml")
    report = json.loads(done.stdout)
    assert done.exit_code == report["exit"] == 1
    fared = {row["picture"]: row.get("error", "") or len(row["commitments"]) for row in report["pictures"]}
    assert (fared["a.png"], fared["b.png"]) == (8, 3)
    assert "no caption: c.txt" in str(fared["c.png"])
    assert "not a PNG, JPEG or WEBP" in str(fared["d.jpg"])
    suites = {suite.get("name"): suite for suite in ET.parse("out.xml").getroot()}
    assert [suites[name].get("errors") for name in ("a.png", "b.png", "c.png", "d.jpg")] == ["0", "0", "1", "1"]


def test_a_part_that_fails_ends_one_picture_and_not_all(cli: Cli, parts: Parts) -> None:
    class Blinking(FakeVerifier):
        def why_blind(self, image: Image.Image) -> str:
            if image.width == 9:
                raise RuntimeError("this fake was told to fail")
            return ""

    parts["verifiers", "objects"] = Blinking
    path = folder()
    Image.new("RGB", (9, 9)).save(path / "b.png")
    rows = {row["picture"]: row for row in json.loads(cli("check", path, "--json").stdout)["pictures"]}
    assert "b.png could not be checked: RuntimeError" in rows["b.png"]["error"]
    assert rows["a.png"]["exit"] == 0


def test_one_prompt_may_be_for_all_that_have_none(cli: Cli) -> None:
    path = folder()
    (path / "d.jpg").unlink()
    done = cli("check", path, "1 red apple", "--json")
    rows = json.loads(done.stdout)["pictures"]
    assert done.exit_code == 0
    assert [len(row["commitments"]) for row in rows] == [8, 3, 3]


def test_lines_of_json_name_their_pictures_relative_to_the_file(cli: Cli) -> None:
    path = folder()
    cli("spec", "1 red apple", "-o", path / "spec.yaml")
    lines = [
        {"image": "a.png", "prompt": PROMPT},
        {"image": "b.png", "spec": "spec.yaml"},
        {"image": "c.png"},
        {"image": 7},
        {"image": "a.png", "prompt": "x", "spec": "y"},
        [],
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n\n{"
    (path / "all.jsonl").write_text(text)
    report = json.loads(cli("check", path / "all.jsonl", "--json").stdout)
    assert [len(row["commitments"]) if "error" not in row else row["picture"] for row in report["pictures"]] == [
        8, 3, "c.png", "line 4", "line 5", "line 6", "line 8",
    ]  # fmt: skip


def test_many_are_a_line_each_and_how_many_are_whole(cli: Cli, parts: Parts) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"count": "violated"})
    path = folder()
    done = cli("check", path)
    assert done.exit_code == 1
    assert "0 of 4 pictures keep all that is asked of them" in done.stdout
    assert "1 of 4: a.png: 6 of 8 commitments met" in done.stderr
    for name in ("c.png", "d.jpg"):
        (path / name).unlink()
    assert cli("check", path).exit_code == 3


def test_reports_of_many_go_into_a_folder(cli: Cli) -> None:
    path = folder()
    assert cli("check", path, "--report", "nowhere").exit_code == 1
    Path("reports").mkdir()
    cli("check", path, "--report", "reports")
    assert sorted(page.name for page in Path("reports").iterdir()) == ["a-png-1.html", "b-png-2.html"]


@pytest.mark.parametrize("what", ["empty", "nowhere.jsonl"])
def test_where_there_is_nothing_to_check_it_says_so(cli: Cli, what: str) -> None:
    Path("empty").mkdir()
    done = cli("check", what)
    assert done.exit_code in (1, 2)
    assert len(done.stderr.splitlines()) == 1


def test_junit_tells_what_is_not_met_apart(cli: Cli, parts: Parts) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"e2": "violated", "c1": None, "c2": "violated"})
    assert cli("check", picture(), PROMPT + " saying \x0b<&", "--junit", "out.xml").exit_code == 3
    (suite,) = ET.parse("out.xml").getroot()
    told = {str(case.get("name")).partition(":")[0]: [child.tag for child in case] for case in suite}
    assert (told["e1"], told["e2"], told["c1"], told["c2"]) == ([], ["failure"], ["error"], ["failure"])
    blocked = [name for name, tags in told.items() if tags == ["failure"]]
    assert suite.get("failures") == str(len(blocked))
    assert (suite.get("tests"), suite.get("errors"), suite.get("skipped")) == (str(len(told)), "1", "0")


def test_errors_of_check_are_those_of_the_tree() -> None:
    with pytest.raises(errors.ImageError):
        scope.check("nowhere.png", PROMPT)
