"""Pictures that show what a thing is to look like: given by a person, or found with an answer."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from conftest import Cli, Parts
from PIL import Image
from prompts import PROMPT, start

import scope
from scope.engine import execution
from scope.errors import UsageError
from scope.protocols import DEFAULT_GENERATOR
from scope.runs.store import open_run
from scope.skills.references import check, found, given
from scope.specification import Answer, Cause, Fact, Source, Specification, Status, Type, ground
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox

READS = frozenset({"references"})


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return a picture of a mascot, transparent about it."""
    path = tmp_path / "mascot=1.png"
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    image.paste((200, 0, 0, 255), (2, 2, 6, 6))
    image.save(path)
    return path


@pytest.fixture
def drawn(parts: Parts) -> FakeGenerator:
    """Return the generator of the command line, which reads references."""
    generator = FakeGenerator(name=DEFAULT_GENERATOR, reads=READS)
    parts["generators", DEFAULT_GENERATOR] = lambda: generator
    return generator


def named(noun: str = "mascot") -> Specification:
    """Return a specification in which a name is open that stands for its one thing."""
    spec = FakeReader().decompose(f"{noun} ?zorvex")
    (unknown,) = spec.where(Status.OPEN)
    about = unknown.model_copy(update={"type": Type.EXTERNAL_REFERENCE, "targets": ("e1",), "depends_on": ("e1",)})
    events = (e.model_copy(update={"declares": about}) if e.declares == unknown else e for e in spec.events)
    return Specification(prompt=spec.prompt, events=tuple(events))


def answered(spec: Specification, picture: Path) -> Specification:
    source = Source(
        title="guide", locator="guide.md:1", licence="CC0-1.0", image=picture.name,
        image_sha256=sha256(picture.read_bytes()).hexdigest(),
    )  # fmt: skip
    facts = (Fact(type=Type.PRESENCE, value="fox", target="e1"),)
    return ground(spec, "u1", Answer(words="a fox", facts=facts, sources=(source,)), Cause.skill("retrieve", "1"))


# -- given by a person ---------------------------------------------------------------------------


def test_a_picture_reaches_the_generator_as_a_copy_in_the_run(
    cli: Cli, drawn: FakeGenerator, picture: Path, home: Path
) -> None:
    done = cli("generate", PROMPT, "--json", "--reference", f"the blue car={picture}")
    assert done.exit_code == 0, done.stderr
    report = json.loads(done.stdout)
    (recorded,) = report["drafts"][0]["references"]
    run = open_run(report["run"])
    copy = run.folder / recorded["path"]
    assert recorded["commitment"] == "e2"
    assert recorded["sha256"] == sha256(copy.read_bytes()).hexdigest()
    with Image.open(copy) as kept, Image.open(picture) as original:
        assert kept.mode == "RGBA"
        assert kept.tobytes() == original.tobytes()
    assert [[r.path for r in request.references] for request in drawn.requests] == [[str(copy)]] * len(drawn.requests)
    assert "references" not in done.stderr
    assert not report["notes"]


def test_what_was_read_once_is_not_read_again(drawn: FakeGenerator, picture: Path, home: Path) -> None:
    run = start(drafts=1, reference=(f"car={picture}",))
    stopped = []

    def stop(news: scope.Progress) -> None:
        if news.stage == "generate" and not stopped:
            stopped.append(news)
            raise KeyboardInterrupt

    tools = fake_toolbox(generator=drawn)
    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, tools, stop)
    picture.unlink()
    assert execution.generate(run, tools).exit == 0
    assert len(drawn.requests[0].references) == 1


def test_a_picture_drawn_by_a_reference_is_drawn_again(
    cli: Cli, drawn: FakeGenerator, picture: Path, home: Path
) -> None:
    made = scope.generate(PROMPT, output="a.png", drafts=1, reference=(f"car={picture}",))
    assert scope.rerun("a.png").same
    assert made.run is not None
    (made.run.folder / made.outcome.drafts[0].request.references[0].path).unlink()
    with pytest.raises(UsageError, match="drawn from another picture"):
        scope.rerun("a.png")


def test_a_generator_that_reads_no_references_says_so_before_it_draws(cli: Cli, picture: Path) -> None:
    lines = cli("generate", PROMPT, "--reference", f"car={picture}").stderr.splitlines()
    said = next(i for i, line in enumerate(lines) if f"{DEFAULT_GENERATOR} does not read the references" in line)
    assert said < next(i for i, line in enumerate(lines) if line.startswith("drawing draft"))


@pytest.mark.parametrize(
    ("given_", "why"),
    [
        ("mascot.png", "write PHRASE=PICTURE"),
        ("=mascot.png", "write PHRASE=PICTURE"),
        ("car=", "write PHRASE=PICTURE"),
        ("a dog=good.png", "the prompt has no such thing; there is: red apple, blue car"),
        ("car=missing.png", "there is no such file"),
        ("car=text.png", "not a PNG, JPEG or WEBP that can be read"),
        ("car=folder", "it is not a file"),
        ("car=huge.png", "8000 x 8000 pixels are too many"),
        ("car=good.gif", "not a PNG, JPEG or WEBP that can be read"),
    ],
)
def test_what_is_no_picture_of_a_thing_is_refused_in_one_line(
    given_: str, why: str, cli: Cli, parts: Parts, home: Path
) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: pytest.fail("it began to draw")
    Image.new("RGB", (8, 8)).save("good.png")
    Image.new("RGB", (8, 8)).save("good.gif")
    Image.new("1", (8000, 8000)).save("huge.png")
    Path("text.png").write_text("not a picture")
    Path("folder").mkdir()
    done = cli("generate", PROMPT, "--reference", given_)
    assert done.exit_code == 2, done.stderr
    assert why in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (home / "runs").exists()


def test_a_thing_has_one_picture_and_a_phrase_one_thing(picture: Path) -> None:
    spec = FakeReader().decompose("1 red apple left of 1 green apple")
    with pytest.raises(UsageError, match="may be any of: red apple, green apple"):
        check(spec, [f"apple={picture}"])
    with pytest.raises(UsageError, match="apple has a picture already"):
        check(spec, [f"red apple={picture}", f"a red apple={picture}"])
    assert [one.commitment for one in given(spec, [f"red apple={picture}", f"green apple={picture}"])] == ["e1", "e2"]


# -- found with an answer ------------------------------------------------------------------------


def test_the_picture_of_an_answer_shows_the_thing_that_it_names(picture: Path, tmp_path: Path) -> None:
    (shown,) = found(answered(named(), picture), [str(tmp_path / "elsewhere"), str(tmp_path)])
    assert (shown.commitment, shown.licence) == ("e1", "CC0-1.0")
    assert shown.opened() is not None
    assert found(named(), [str(tmp_path)]) == ()
    Image.new("RGB", (8, 8)).save(picture)
    assert shown.opened() is None  # it is not the picture that was found


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("reads", "own", "expected"),
    [(READS, False, ["CC0-1.0"]), (READS, True, [""]), (frozenset(), False, [])],
    ids=("found", "a person's goes before it", "not read"),
)
def test_a_found_picture_is_handed_to_a_generator_that_reads_references(
    reads: frozenset[str], own: bool, expected: list[str], picture: Path, tmp_path: Path
) -> None:
    class Retrieve:
        name, version = "retrieve", "1"

        def needed(self, spec: Specification) -> bool:
            return bool(spec.where(Status.OPEN))

        def run(self, spec: Specification, tools: object) -> Specification:
            return answered(spec, picture)

    class Reader(FakeReader):
        def decompose(self, prompt: str) -> Specification:
            return named()

    run = start("mascot ?zorvex", drafts=1, knowledge=(str(tmp_path),), reference=(f"mascot={picture}",) * own)
    generator = FakeGenerator(reads=reads)
    tools = fake_toolbox(FakeVerifier(), reader=Reader(), generator=generator, skills=(Retrieve(),))
    outcome = execution.generate(run, tools)
    assert [r.licence for r in generator.requests[0].references] == expected
    assert not outcome.notes
