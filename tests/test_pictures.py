"""Pictures of a folder are found by what they show, where there is an encoder; without one, by their captions."""

import json
import re
import sqlite3
import sys
import types
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scope.knowledge import folder, pictures
from scope.knowledge.folder import Folder
from scope.knowledge.pictures import EncoderError
from scope.knowledge.store import Vectors
from scope.parsing.grammar import Grammar
from scope.skills.retrieve import Retrieve
from scope.specification import Fact, answers
from scope.testing import fake_toolbox

COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


class Encoder:
    """See the colour of a picture, and read the names of colours. What was seen is counted."""

    def __init__(self, name: str = "encoder/1") -> None:
        self.name = name
        self.seen = 0

    def encode_image(self, image: Image.Image) -> Vectors:
        self.seen += 1
        return self._unit(np.asarray(image, np.float32).mean((0, 1)))

    def encode_text(self, text: str) -> Vectors:
        return self._unit(np.array([color in text.lower() for color in COLORS], np.float32))

    def _unit(self, vector: Vectors) -> Vectors:
        return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-6), np.float32)


@pytest.fixture(autouse=True)
def root(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with text and three pictures, of which one has a caption."""
    monkeypatch.delenv("SCOPE_CLIP", raising=False)
    root = tmp_path / "brand"
    root.mkdir()
    for color, value in COLORS.items():
        Image.new("RGB", (8, 8), value).save(root / f"{color}.png")
    (root / "red.txt").write_text("---\nlicence: CC0-1.0\n---\nOur logo.", encoding="utf-8")
    lines = [f"Member number {i} of the team is tall." for i in range(8)]
    (root / "team.txt").write_text("\n\n".join(lines), encoding="utf-8")
    return root


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def by_sight(knows: Folder, query: str, count: int = 8) -> list[str | None]:
    return [p.source.image for p in knows.search(query, count) if p.by_sight]


# -- by sight ------------------------------------------------------------------------------------


def test_a_picture_without_a_caption_is_found_by_what_it_shows(root: Path) -> None:
    found = Folder(root, Encoder).search("something green", 8)
    assert [p.by_sight for p in found] == [False] * 7 + [True]
    last = found[-1]
    assert (last.text, last.score) == ("green", 1.0)
    assert (last.source.image, last.source.locator, last.source.quote) == ("green.png", "green.png#sight", "")
    assert last.source.sha256 == last.source.image_sha256 == digest(root / "green.png")


def test_it_carries_its_caption_and_licence_and_comes_once(root: Path) -> None:
    found = Folder(root, Encoder).search("red", 8)
    assert [p.source.image for p in found].count("red.png") == 1
    [seen] = [p for p in Folder(root, Encoder).search("red Member number of the team", 4) if p.by_sight]
    assert (seen.text, seen.source.licence) == ("Our logo.", "CC0-1.0")


def test_what_does_not_look_like_it_is_not_found_and_words_keep_most_of_the_room(root: Path) -> None:
    knows = Folder(root, Encoder)
    assert by_sight(knows, "purple") == []
    assert by_sight(knows, "green and blue", 12) == ["blue.png", "green.png"]
    assert by_sight(knows, "green and blue", 8)[0] == "blue.png"
    assert by_sight(knows, "green", 3) == []
    assert len(knows.search("green and blue", 4)) == 4


def test_only_pictures_that_changed_are_looked_at_again(root: Path) -> None:
    looks = []
    for change in (
        lambda: None,
        lambda: (root / "red.txt").write_text("Another caption.", encoding="utf-8"),
        lambda: Image.new("RGB", (8, 8), (0, 250, 5)).save(root / "blue.png"),
        lambda: (root / "blue.png").rename(root / "azure.png"),
    ):
        change()
        encoder = Encoder()
        by_sight(Folder(root, lambda encoder=encoder: encoder), "green")
        looks.append(encoder.seen)
    assert looks == [3, 0, 1, 0]
    assert by_sight(Folder(root, Encoder), "green", 12) == ["green.png", "azure.png"]


def test_vectors_of_other_weights_are_not_used_and_forgotten(root: Path, home: Path) -> None:
    by_sight(Folder(root, Encoder), "green")
    other = Encoder("encoder/2")
    by_sight(Folder(root, lambda: other), "green")
    assert other.seen == 3
    with sqlite3.connect(home / "knowledge" / "index.sqlite") as database:
        [(count,)] = database.execute("SELECT COUNT(*) FROM files WHERE collection LIKE '%/sight'").fetchall()
    database.close()
    assert count == 3


def test_pictures_that_cannot_be_read_are_noted_once_and_the_others_found(root: Path) -> None:
    (root / "text.png").write_bytes(b"no picture")
    (root / "text.txt").write_text("a caption", encoding="utf-8")
    Image.new("1", (7000, 7000)).save(root / "bomb.png")
    with (root / "large.png").open("wb") as file:
        file.truncate(20 * 1024 * 1024 + 1)
    knows = Folder(root, Encoder)
    assert by_sight(knows, "green") == ["green.png"]
    assert sorted(note.partition(":")[0] for note in knows.notes) == ["bomb.png", "large.png", "text.png"]


class Failing(Encoder):
    """Fail where `fails` says."""

    def __init__(self, fails: str) -> None:
        super().__init__()
        self.fails = fails

    def encode_image(self, image: Image.Image) -> Vectors:
        if self.fails == "image":
            raise RuntimeError("no memory")
        return super().encode_image(image)

    def encode_text(self, text: str) -> Vectors:
        if self.fails == "text":
            raise RuntimeError("no memory")
        return super().encode_text(text)


@pytest.mark.parametrize(("fails", "notes"), [("image", 3), ("text", 1)])
def test_an_encoder_that_fails_is_a_note_and_words_are_found_as_ever(root: Path, fails: str, notes: int) -> None:
    knows = Folder(root, lambda: Failing(fails))
    without = Folder(root, lambda: None)
    for _ in range(2):
        assert knows.search("green", 8) == without.search("green", 8)
    assert len(knows.notes) == notes
    assert all("RuntimeError" in note for note in knows.notes)


# -- answers -------------------------------------------------------------------------------------


def answer(root: Path) -> tuple[tuple[Fact, ...], list[str | None], list[str]] | None:
    """Return the facts of what a mascot is, and the pictures and hashes of its sources."""
    spec = Grammar().decompose("the mascot of Team Bluezor waving beside three stars")
    tools = fake_toolbox(reader=Grammar(), knowledge=(Folder(root, Encoder),))
    found = answers(Retrieve().run(spec, tools)).get("u1")
    if found is None:
        return None
    return found.facts, [s.image for s in found.sources], [s.image_sha256 for s in found.sources]


def test_a_picture_found_by_sight_is_attached_to_an_answer_and_says_nothing(root: Path) -> None:
    (root / "guide.md").write_text("The mascot of Team Bluezor is a turtle.", encoding="utf-8")
    told = answer(root)
    assert told is not None
    facts, images, hashes = told
    assert [(f.type, f.value) for f in facts] == [("presence", "turtle")]
    assert images == [None, "blue.png"]
    assert hashes == ["", digest(root / "blue.png")]


def test_the_name_of_a_picture_found_by_sight_is_no_definition(root: Path) -> None:
    (root / "blue.png").rename(root / "The mascot of Team Bluezor is a red dragon.png")
    assert by_sight(Folder(root, Encoder), "blue") == ["The mascot of Team Bluezor is a red dragon.png"]
    assert answer(root) is None


def test_the_picture_that_a_text_shows_is_hashed_as_it_is_now(root: Path) -> None:
    (root / "guide.md").write_text("![The mascot of Team Green](blue.png)", encoding="utf-8")

    def shown() -> tuple[str | None, str]:
        [p] = [p for p in folder.load(root).search("the mascot", 20) if p.source.locator == "guide.md:1"]
        return p.source.image, p.source.image_sha256

    assert shown() == ("blue.png", digest(root / "blue.png"))
    Image.new("RGB", (9, 9)).save(root / "blue.png")
    assert shown() == ("blue.png", digest(root / "blue.png"))
    (root / "blue.png").unlink()
    assert shown() == (None, "")


# -- SCOPE_CLIP ----------------------------------------------------------------------------------


def test_nothing_is_imported_unless_a_model_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    knows = folder.load(root)
    assert len(knows.search("green", 8)) == 8
    assert knows.notes == ()


def broken() -> types.ModuleType:
    """Return an open_clip that fails as one does whose torchvision does not fit torch."""
    module = types.ModuleType("open_clip")

    def fail(model: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist\nmore")

    module.get_model_config = fail  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(
    ("named", "module", "note"),
    [
        ("ViT-B-32", None, "write a model and its weights"),
        (":weights.safetensors", None, "write a model and its weights"),
        ("ViT-B-32:weights.safetensors", None, "install scope-t2i[clip]"),
        ("ViT-B-32:weights.safetensors", broken(), "operator torchvision::nms does not exist)"),
    ],
)
def test_an_encoder_that_cannot_be_had_is_a_note_in_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, named: str, module: types.ModuleType | None, note: str
) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", module)
    monkeypatch.setenv("SCOPE_CLIP", named)
    knows = folder.load(root)
    assert "Our logo." in [p.text for p in knows.search("our logo", 8)]
    [line] = knows.notes
    assert line.startswith("SCOPE_CLIP")
    assert note in line
    assert line.endswith("captions only")
    assert "\n" not in line


# -- the real open_clip --------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return random weights of a small model, "scope-tiny", that open_clip has been told of."""
    try:
        import open_clip
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"open_clip cannot be imported ({error}); docs/knowledge.md says how to run this without a GPU")
    import torch
    from safetensors.torch import save_file

    here = tmp_path_factory.mktemp("tiny")
    text = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}
    vision = {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    config = {"embed_dim": 16, "vision_cfg": vision}
    (here / "scope-tiny.json").write_text(json.dumps({**config, "text_cfg": text}), encoding="utf-8")
    hub = {**text, "hf_tokenizer_name": "somewhere/else"}
    (here / "scope-hub.json").write_text(json.dumps({**config, "text_cfg": hub}), encoding="utf-8")
    open_clip.add_model_config(here)
    torch.manual_seed(0)
    state = open_clip.create_model("scope-tiny").state_dict()
    save_file(state, here / "tiny.safetensors")
    torch.save(state, here / "tiny.pt")
    return here


@pytest.mark.parametrize("name", ["tiny.safetensors", "tiny.pt"])
def test_open_clip_finds_pictures_with_weights_from_a_file(
    root: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("SCOPE_CLIP", f"scope-tiny:{tiny / name}")
    monkeypatch.setattr(pictures, "THRESHOLD", -1.0)  # random weights know nothing
    knows = folder.load(root)
    found = [p for p in knows.search("a green square", 12) if p.by_sight]
    assert knows.notes == ()
    encoder = pictures.load_encoder()
    assert encoder is not None
    assert encoder.name == f"open_clip/scope-tiny/{digest(tiny / name)}"
    query = encoder.encode_text("a green square")
    assert np.linalg.norm(query) == pytest.approx(1, abs=1e-5)
    for passage in found:
        vector = encoder.encode_image(Image.open(root / str(passage.source.image)).convert("RGB"))
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
        assert passage.score == pytest.approx(float(vector @ query), abs=1e-3)
    assert {p.source.image for p in found} >= {"blue.png", "green.png"}
    assert [p.score for p in found] == sorted((p.score for p in found), reverse=True)


def test_open_clip_looks_once_at_each_picture(root: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_CLIP", f"scope-tiny:{tiny / 'tiny.safetensors'}")
    monkeypatch.setattr(pictures, "THRESHOLD", -1.0)
    before = folder.load(root).search("green", 12)

    def never(self: object, image: Image.Image) -> Vectors:
        raise AssertionError

    monkeypatch.setattr(pictures.OpenClip, "encode_image", never)
    knows = folder.load(root)
    assert knows.search("green", 12) == before
    assert knows.notes == ()


@pytest.mark.parametrize(
    ("model", "weights", "why"),
    [
        ("scope-tiny", "nowhere.safetensors", "there is no file"),
        ("scope-tiny", "laion9t", "neither a tag of scope-tiny nor a file"),
        ("scope-tiny", "damaged.safetensors", "cannot be used"),
        ("scope-tiny", "hostile.pt", "cannot be used"),
        ("ViT-B-32", "tiny.safetensors", "cannot be used"),
        ("no-such-model", "tiny.safetensors", "has no model 'no-such-model'"),
        ("scope-hub", "tiny.safetensors", "downloads its tokenizer"),
        ("ViT-B-32", "", "write a model and its weights"),
    ],
)
def test_open_clip_with_weights_that_cannot_be_used_is_told(tiny: Path, model: str, weights: str, why: str) -> None:
    import torch

    (tiny / "damaged.safetensors").write_bytes((tiny / "tiny.safetensors").read_bytes()[:5000])
    torch.save({"a": Hostile(tiny / "ran")}, tiny / "hostile.pt")
    named = tiny / weights if "." in weights else weights
    with pytest.raises(EncoderError, match=re.escape(why)):
        pictures.load_encoder({"SCOPE_CLIP": f"{model}:{named}"})
    assert not (tiny / "ran").exists()


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_tag_is_downloaded_by_open_clip_and_only_then(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import open_clip

    asked = []

    def download(config: dict[str, object], **kwargs: object) -> str:
        asked.append(config["hf_hub"])
        raise OSError("no network")

    monkeypatch.setattr(open_clip, "download_pretrained", download)
    with pytest.raises(EncoderError, match="no network"):
        pictures.load_encoder({"SCOPE_CLIP": "ViT-B-32:laion2b_s34b_b79k"})
    assert len(asked) == 1
    assert pictures.load_encoder({"SCOPE_CLIP": f"scope-tiny:{tiny / 'tiny.safetensors'}"}) is not None
    assert len(asked) == 1
