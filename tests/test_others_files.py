"""Files of others: none is written over, none is read that is no file or has no end, and none ends in a bug."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Cli
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from prompts import PROMPT

from scope import files
from scope.errors import OutputError, StateCorrupt, UsageError
from scope.files import is_file, parsed_json, read_file, write_atomic
from scope.runs import store
from scope.runs.marks import sidecar
from scope.runs.png import OTHER_PIXELS, open_png, read_record
from scope.runs.target import Target, png_path
from scope.text import shell_word

MINE = b"MINE"


@pytest.fixture
def drawn(cli: Cli) -> Path:
    assert cli("generate", PROMPT, "-o", "apple.png").exit_code == 0
    return Path("apple.png")


def only_run(home: Path) -> Path:
    (run,) = (home / "runs").iterdir()
    return run


def is_clean(output: str) -> bool:
    """Return whether a terminal can be given this: lines of text, and no bug."""
    return "This is a bug" not in output and all(c == "\n" or c.isprintable() for c in output)


# -- writing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("a.png", ("generate", PROMPT, "-o", "a.png")),
        ("a.png.json", ("generate", PROMPT, "-o", "a.png")),
        ("a.png", ("rerun", "apple.png", "-o", "a.png")),
        ("a.png.json", ("rerun", "apple.png", "-o", "a.png")),
        ("a.html", ("show", "apple.png", "-o", "a.html")),
        ("a.png", ("resume", "RUN", "-o", "a.png")),
    ],
)
def test_a_file_that_scope_did_not_write_is_not_written_over(
    cli: Cli, home: Path, drawn: Path, name: str, arguments: tuple[str, ...]
) -> None:
    Path(name).write_bytes(MINE)
    done = cli(*(only_run(home).name if word == "RUN" else word for word in arguments))
    assert (done.exit_code, Path(name).read_bytes()) == (1, MINE)
    assert "was not written by scope" in done.stderr
    assert list(Path().glob(".*")) == []


def test_the_report_of_a_picture_goes_beside_it_under_a_name_that_is_free(cli: Cli, home: Path, drawn: Path) -> None:
    drawn.rename("index.png")
    sidecar(drawn).unlink()
    Path("index.html").write_bytes(MINE)
    assert cli("show", "index.png").stdout.splitlines()[-1].endswith("index-2.html")
    assert Path("index.html").read_bytes() == MINE


def test_a_picture_without_a_record_is_known_to_its_run(cli: Cli, home: Path) -> None:
    assert cli("generate", PROMPT, "-o", "a.png", "--no-metadata").exit_code == 0
    assert cli("resume", only_run(home).name).exit_code == 0
    Image.new("RGB", (8, 8)).save("a.png")  # mine
    assert cli("resume", only_run(home).name).exit_code == 1


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    victim, link = tmp_path / "victim", tmp_path / "link"
    victim.write_bytes(MINE)
    link.symlink_to(victim)
    write_atomic(link, b"new")
    assert (victim.read_bytes(), link.read_bytes(), link.is_symlink()) == (MINE, b"new", False)


def test_no_name_that_others_can_prepare_is_written_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one who knew the random name could not have it written through a link, or over a file."""
    victim = tmp_path / "victim"
    victim.write_bytes(MINE)
    monkeypatch.setattr(files.secrets, "token_hex", lambda length: "known")
    (tmp_path / ".known.partial").symlink_to(victim)
    with pytest.raises(OutputError):
        write_atomic(tmp_path / "a", b"new")
    assert victim.read_bytes() == MINE


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_file_that_is_replaced_keeps_its_rights(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(mode)
    before = os.umask(0)
    try:
        write_atomic(path, b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_nobody_else_can_read_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_HOME", str(tmp_path / "new" / "home"))
    before = os.umask(0)
    try:
        run = store.create("1 apple").folder
    finally:
        os.umask(before)
    assert [stat.S_IMODE(f.stat().st_mode) for f in (run, run.parent, run.parent.parent)] == [0o700] * 3


@pytest.mark.parametrize("length", [246, 247, 251, 300])
def test_a_name_is_checked_whole_before_anything_is_drawn(tmp_path: Path, length: int) -> None:
    """255 bytes is what a file name may have; `.png.json` must fit, too."""
    path = tmp_path / ("a" * (length - 4) + ".png")
    if length + len(".json") <= 255:
        assert png_path(path, "") == path
    else:
        with pytest.raises(OutputError, match="too long"):
            png_path(path, "")


@pytest.mark.parametrize("stem", ["a" * 300, "苹" * 200, "\x1b]0;pwn\x07", "\udcff\udcfe", "\u202e", "a\nb"])
def test_a_name_that_scope_makes_can_be_written_and_shown(tmp_path: Path, stem: str) -> None:
    path = png_path(tmp_path, f"{stem}-rerun")
    write_atomic(sidecar(path), b"")
    assert shell_word(path.name) == path.name


# -- reading -------------------------------------------------------------------------------------


def link_to_zero(path: Path) -> None:
    path.symlink_to("/dev/zero")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def deep(path: Path) -> None:
    path.write_text("[" * 200_000)


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def circle(path: Path) -> None:
    path.symlink_to(path)


ODD_FILES = [link_to_zero, pipe, deep, large, circle, Path.mkdir, lambda path: path.write_bytes(b"\xff\x00")]


@pytest.mark.parametrize("make", ODD_FILES)
def test_what_is_no_file_or_has_no_end_is_not_read(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "odd")
    with pytest.raises((OSError, ValueError)):
        parsed_json(read_file(tmp_path / "odd", 1 << 20))


@pytest.mark.parametrize("name", ["a" * 300, "a" * 5000, "a\0b", "\ud800", ""])
def test_a_name_that_no_file_can_have_is_no_file(name: str) -> None:
    assert not is_file(Path(name))
    with pytest.raises(OSError, match=r"name|null|surrogates|No such|not a file"):
        read_file(Path(name), 10)


@pytest.mark.parametrize("make", ODD_FILES)
def test_an_odd_sidecar_says_nothing(cli: Cli, drawn: Path, make: Callable[[Path], None]) -> None:
    sidecar(drawn).unlink()
    make(sidecar(drawn))
    done = cli("show", drawn, "-o", "a.html")
    assert done.exit_code == 0, done.stderr
    assert "what the picture itself records" in done.stderr


@pytest.mark.parametrize("make", [*ODD_FILES, lambda path: path.write_text("{}")])
@pytest.mark.parametrize("name", ["run.json", "state.sqlite", "lock", "target.json", "result.json"])
def test_an_odd_file_in_a_run_is_no_bug_and_hides_no_other(
    cli: Cli, home: Path, drawn: Path, name: str, make: Callable[[Path], None]
) -> None:
    odd = only_run(home)
    waiting = store.create("1 apple")
    newest = waiting.folder.rename(waiting.folder.with_name("99991231-000000-000"))
    (newest / "run.json").unlink()
    (odd / name).unlink()
    make(odd / name)
    for command in ("show", "resume"):
        done = cli(command, odd.name)
        assert is_clean(done.stderr), done.stderr
    listed = json.loads(cli("runs", "--json").stdout)["runs"]
    assert {row["id"] for row in listed} >= {odd.name, newest.name}
    assert "99991231" not in cli("resume").stderr  # it was passed over


def test_the_latest_run_that_can_be_read_is_resumed(home: Path) -> None:
    waiting = store.create("1 apple")
    (home / "runs" / "99991231-000000-000" / "drafts").mkdir(parents=True)
    assert store.open_run() == waiting
    with pytest.raises(StateCorrupt):
        store.open_run("99991231-000000-000")


@pytest.mark.parametrize("target", ["notes.txt", "b.png", "relative.png"])
def test_a_target_that_is_no_picture_of_scope_is_not_believed(cli: Cli, home: Path, drawn: Path, target: str) -> None:
    Path("notes.txt").write_bytes(MINE)
    Path("b.png").write_bytes(MINE)
    run = store.Run(only_run(home))
    path = target if target.startswith("relative") else str(Path(target).absolute())
    run.keep("target.json", {"path": path})
    cli("resume", run.id)
    assert Path("notes.txt").read_bytes() == Path("b.png").read_bytes() == MINE
    assert Target.of(run).path.is_absolute()


@pytest.mark.parametrize("name", ["drafts", "masks", "references", "lock", "state.sqlite"])
def test_a_link_in_a_run_is_not_followed(cli: Cli, home: Path, drawn: Path, tmp_path: Path, name: str) -> None:
    run, elsewhere = store.create("1 apple"), tmp_path / "elsewhere"
    if name in ("lock", "state.sqlite"):
        elsewhere.write_bytes(MINE)
    else:
        elsewhere.mkdir()
    if (run.folder / name).exists():
        (run.folder / name).rmdir()
    (run.folder / name).symlink_to(elsewhere)
    assert cli("resume", run.id).exit_code == 1
    assert elsewhere.read_bytes() == MINE if elsewhere.is_file() else list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", ["/dev/zero", "../../../etc/passwd", "..", "drafts", "", "\0", "a" * 5000])
def test_a_picture_of_a_run_lies_in_its_folder(home: Path, name: str) -> None:
    run = store.create("1 apple")
    with pytest.raises(StateCorrupt, match="is not the picture that was made"):
        run.picture(name, "0" * 64)


# -- pixels --------------------------------------------------------------------------------------


def with_pixels_of(record_of: Path, color: str) -> None:
    """Give a picture other pixels, and leave its record."""
    whole, texts = open_png(record_of), PngInfo()
    texts.add_itxt("scope", whole.info["scope"])
    Image.new("RGB", whole.size, color).save(record_of, pnginfo=texts)


@pytest.mark.parametrize("beside", [True, False])
def test_a_record_proves_nothing_of_other_pixels(cli: Cli, drawn: Path, beside: bool) -> None:
    with_pixels_of(drawn, "black")
    if not beside:
        sidecar(drawn).unlink()
    done = cli("show", drawn)
    assert (done.exit_code, done.stdout) == (1, "")
    assert OTHER_PIXELS in done.stderr
    again = cli("rerun", drawn, "-o", "again.png")
    assert again.exit_code == 3
    assert OTHER_PIXELS in again.stderr
    assert cli("show", "again.png").exit_code == 0


def test_a_sidecar_of_another_picture_is_refused(cli: Cli, drawn: Path) -> None:
    Image.new("RGB", (8, 8)).save("black.png")
    sidecar(drawn).rename("black.png.json")
    done = cli("show", "black.png")
    assert (done.exit_code, done.stdout) == (1, "")
    assert cli("generate", "3 blue car", "-o", "cars.png").exit_code == 0
    Path("black.png.json").rename("cars.png.json")
    done = cli("show", "cars.png", "-o", "cars.html")  # its own record is of its own pixels
    assert "drew another picture" in done.stderr
    assert "car" in done.stdout
    assert "apple" not in done.stdout


def test_the_same_pixels_packed_in_another_way_are_the_same(cli: Cli, drawn: Path) -> None:
    whole, texts = open_png(drawn), PngInfo()
    texts.add_itxt("scope", whole.info["scope"], zip=True)
    whole.save("packed.png", pnginfo=texts, compress_level=0)
    assert cli("show", "packed.png").exit_code == 0


def test_a_record_names_no_folder_of_this_machine(cli: Cli, tmp_path: Path) -> None:
    knowledge = tmp_path / "secret" / "notes"
    knowledge.mkdir(parents=True)
    assert cli("generate", PROMPT, "--knowledge", knowledge, "-o", "a.png").exit_code == 0
    assert b"secret" not in Path("a.png").read_bytes()
    assert read_record(Path("a.png")).options["knowledge"] == ["notes"]


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [b"\xff\xfe.png", b"\x1b]0;pwn\x07.png", "\u202egnp.png".encode(), b"a\nb.png"])
def test_a_name_is_shown_without_orders_to_the_terminal(cli: Cli, drawn: Path, name: bytes) -> None:
    odd = os.fsdecode(name)
    drawn.rename(odd)
    for arguments in (("show", odd), ("show", odd, "-o", "a.html"), ("rerun", odd), ("rerun", odd, "-o", "b.png")):
        done = cli(*arguments)
        assert done.exit_code == 0, done.stderr
        assert is_clean(done.stdout + done.stderr)


@pytest.mark.parametrize("what", ["a" * 300, "a" * 5000, "a" * 300 + ".png", "\x1b[2J", "..", "/", "", "~", "-" * 40])
@pytest.mark.parametrize("command", ["show", "resume", "rerun", "reconstruct"])
def test_a_name_that_means_nothing_is_one_line(cli: Cli, command: str, what: str) -> None:
    done = cli(command, "--", what)
    assert done.exit_code in (1, 2)
    assert is_clean(done.stderr), done.stderr


def test_a_shell_reads_back_what_is_printed() -> None:
    assert shell_word("two red apples.png") == "two red apples.png"
    assert shell_word("\x1b'\\\udcffé\n") == r"$'\x1b\x27\x5c\xff\xc3\xa9\x0a'"


def test_an_output_that_no_record_can_name_is_refused() -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        png_path(Path("\udcff.png"), "")
