"""`scope world`: sheets, shards that other tools read, and what it says when something is wrong."""

import io
import json
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import webdataset
from conftest import Cli
from PIL import Image

from scope.errors import ScopeError, UsageError
from scope.worlds.pocket import atlas, shards
from scope.worlds.pocket.catalogue import HELD_OUT_NOUNS, NOUNS, SETTING_NAMES
from scope.worlds.pocket.edits import HELD_OUT_FAMILIES
from scope.worlds.pocket.samples import Selection, draw_sample
from scope.worlds.pocket.shards import Dataset
from scope.worlds.pocket.sprites import sprite


def samples(path: Path) -> dict[str, dict[str, bytes]]:
    """Read a shard as the format's specification says: what is before the first dot is the sample's key."""
    found: dict[str, dict[str, bytes]] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            key, _, ending = member.name.partition(".")
            file = tar.extractfile(member)
            assert file is not None
            found.setdefault(key, {})[ending] = file.read()
    return found


def picture(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_an_export_holds_each_sample_once_with_its_picture_words_masks_and_truth(cli: Cli) -> None:
    done = cli("world", "export", "d", "--count", "5", "--shard", "2", "--seed", "3", "--split", "held_out")
    assert done.exit_code == 0, done.stderr
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert [path.name for path in paths] == [f"shard-00000{i}.tar" for i in range(3)]
    read = {key: files for path in paths for key, files in samples(path).items()}
    assert list(read) == [f"{i:09d}" for i in range(5)]
    for number, files in enumerate(read.values()):
        expected = draw_sample(Selection(seed=3, split="held_out"), number)
        assert set(files) == {"png", "masks.png", "txt", "json"}
        assert np.array_equal(picture(files["png"]), expected.pictures["png"])
        assert np.array_equal(picture(files["masks.png"]), expected.pictures["masks.png"])
        assert files["txt"].decode() == expected.text
        truth = json.loads(files["json"])
        assert len(truth["objects"]) == picture(files["masks.png"]).max()
        assert {"plan", "objects", "commitments", "spans"} <= set(truth)


def test_the_webdataset_package_reads_an_export(cli: Cli) -> None:

    done = cli("world", "export", "d", "--count", "3", "--edits", "blur,add")
    with Path(done.stdout.strip()).open("rb") as stream:  # WebDataset itself leaves its files open, which is a warning
        files = webdataset.tariterators.tar_file_expander([{"url": "d", "stream": stream}])
        read = list(webdataset.decode("rgb8")(webdataset.tariterators.group_by_keys(files)))
    assert [sample["__key__"] for sample in read] == [f"{i:09d}" for i in range(3)]
    assert [sample["json"]["family"] for sample in read] == ["blur", "add", "blur"]
    for number, sample in enumerate(read):
        expected = draw_sample(Selection(edits=("blur", "add")), number)
        assert np.array_equal(sample["before.png"], expected.pictures["before.png"])
        assert np.array_equal(sample["after.png"], expected.pictures["after.png"])
        assert sample["txt"] == expected.text


def test_an_export_that_was_stopped_is_continued_and_the_bytes_are_the_same(tmp_path, monkeypatch) -> None:
    dataset = Dataset(count=4, shard=2)
    whole = [path.read_bytes() for path in shards.export(tmp_path / "whole", dataset)]
    write, written = shards.write_atomic, []

    def killed(path: Path, data: bytes) -> None:
        if len(written) == 2:  # dataset.json and the first shard are there
            raise KeyboardInterrupt
        written.append(path)
        write(path, data)

    monkeypatch.setattr(shards, "write_atomic", killed)
    with pytest.raises(KeyboardInterrupt):
        shards.export(tmp_path / "cut", dataset)
    monkeypatch.setattr(shards, "write_atomic", write)
    (tmp_path / "cut" / ".shard-000001.tar.1.partial").write_bytes(b"half")
    assert [path.read_bytes() for path in shards.export(tmp_path / "cut", dataset)] == whole
    left = sorted(path.name for path in (tmp_path / "cut").iterdir())
    assert left == ["dataset.json", "shard-000000.tar", "shard-000001.tar"]


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    with pytest.raises(UsageError, match="not empty"):
        shards.export(mine, Dataset(count=1))
    assert [p.name for p in mine.iterdir()] == ["thesis.txt"]
    with pytest.raises(UsageError, match="is a file"):
        shards.export(mine / "thesis.txt", Dataset(count=1))
    shards.export(tmp_path / "set", Dataset(count=1))
    with pytest.raises(UsageError, match="other samples"):
        shards.export(tmp_path / "set", Dataset(count=1, seed=1))
    (tmp_path / "set" / "dataset.json").write_text("{}")
    with pytest.raises(UsageError, match="not of an export"):
        shards.export(tmp_path / "set", Dataset(count=1))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "d", "--count", "0"), "--count"),
        (("export", "d", "--shard", "-1"), "--shard"),
        (("export", "d", "--split", "test"), "--split"),
        (("export", "d", "--vendor", "samsung"), "samsung"),
        (("export", "d", "--edits", "sepai"), "sepia"),
        (("export", "d", "--edits", "all", "--vendor", "noto"), "exclude"),
        (("show", "--core", "--edits", "all"), "--core"),
        (("show", "--seed", "-1"), "--seed"),
        (("build", "nowhere"), "nowhere"),
        (("show", "a zorvex"), "nearest names are"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(cli: Cli, arguments, said) -> None:
    done = cli("world", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert list(Path.cwd().iterdir()) == []


def test_a_full_disk_is_told_in_one_line(cli: Cli, monkeypatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise shards.unwritable(path, OSError(28, "No space left on device"))

    monkeypatch.setattr(shards, "write_atomic", full)
    done = cli("world", "export", "d", "--count", "1")
    assert done.exit_code == 1
    assert "disk is full" in done.stderr


def test_build_refuses_a_folder_without_the_pinned_art(cli: Cli) -> None:
    Path("art").mkdir()
    done = cli("world", "build", "art", "-o", "out")
    assert done.exit_code == 1
    assert "npm pack" in done.stderr


def test_drawing_vector_art_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ScopeError, match=r"scope-t2i\[train\]"):
        atlas._svg("<svg/>")


def test_sheets_show_what_an_export_holds(cli: Cli) -> None:
    done = cli("world", "show", "--count", "3", "--vendor", "twemoji", "-o", "w.png")
    sheet = np.asarray(Image.open(done.stdout.strip()))
    for number in range(3):
        sample = draw_sample(Selection(styles=("twemoji",)), number)
        assert np.array_equal(sheet[:, 128 * number : 128 * number + 128], sample.pictures["png"])
        assert sample.text in done.stderr


def test_sheets_of_edits_show_before_and_after(cli: Cli) -> None:
    done = cli("world", "show", "--count", "6", "--edits", "held_out", "-o", "e.png")
    sheet = np.asarray(Image.open(done.stdout.strip()))
    assert sheet.shape == (2 * 128, 4 * 256, 3)
    for number in range(6):
        sample = draw_sample(Selection(edits=HELD_OUT_FAMILIES), number)
        y, x = number // 4 * 128, number % 4 * 256
        assert np.array_equal(sheet[y : y + 128, x : x + 128], sample.pictures["before.png"])
        assert np.array_equal(sheet[y : y + 128, x + 128 : x + 256], sample.pictures["after.png"])


def test_the_words_of_the_world_are_listed(cli: Cli) -> None:
    done = cli("world", "words")
    assert done.exit_code == 0
    assert all(word in done.stdout + done.stderr for word in ("hair drier", "on top of", "skin-tone", "cave"))


@pytest.mark.parametrize("name", ["an automobile", "Cars", "car"])
def test_a_thing_is_found_by_any_of_its_names_with_its_drawings_and_their_licences(cli: Cli, name: str) -> None:
    done = cli("world", "show", name, "-o", "car.png")
    assert done.exit_code == 0, done.stderr
    said = done.stdout + done.stderr
    assert all(word in said for word in ("cars", "noto", "flat", "3-D", "held out", "Apache-2.0", "MIT", "CC-BY-4.0"))
    with Image.open("car.png") as sheet:
        pixels = np.asarray(sheet)
    assert pixels.shape == (5 * 128, 3 * 128, 3)
    rgb, alpha = sprite("car", "red", 96, "noto")
    solid = alpha[..., 0] > 0.99
    assert np.abs(pixels[16:112, 144:240][solid] / 255 - rgb[solid]).max() < 0.01


def test_what_is_drawn_from_a_reference_alone_is_said(cli: Cli) -> None:
    held_out = sorted(HELD_OUT_NOUNS)[0]
    assert "from a reference alone" in cli("world", "show", held_out).stderr


@pytest.mark.parametrize("every", ["nouns", "settings"])
def test_a_sheet_shows_every_thing_there_is(cli: Cli, tmp_path: Path, every: str) -> None:
    number, columns = {"nouns": (len(NOUNS), 18), "settings": (len(SETTING_NAMES), 10)}[every]
    cli("world", "show", f"--{every}", "-o", str(tmp_path / "sheet.png"))
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    rows = -(-number // columns)
    high, wide = sheet.shape[0] // rows, sheet.shape[1] // columns
    assert (rows * high, columns * wide) == sheet.shape[:2]
    cells = [sheet[n // columns * high :, n % columns * wide :][:high, :wide] for n in range(rows * columns)]
    assert [cell.std() > 2 for cell in cells] == [n < number for n in range(len(cells))]
