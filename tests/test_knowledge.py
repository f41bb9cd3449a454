"""Knowledge: what a folder says is found with its source; what is hostile or broken in it is told and left out."""

import os
import sqlite3
import time
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scope.benchmarks.experiments.injection import pdf_bytes, pdf_of
from scope.errors import UsageError
from scope.knowledge import documents, folder, index, packaged, reading
from scope.knowledge.documents import Origin, Unreadable, clean
from scope.knowledge.index import Index
from scope.knowledge.places import Place
from scope.knowledge.reading import Reading
from scope.models import sentence_encoder
from scope.protocols import Knowledge, Passage
from scope.specification import Source
from scope.testing import temporary_home
from scope.worlds.facts import load_facts
from scope.worlds.pocket.catalogue import CONCEPTS

GUIDE = """---
title: guide
licence: CC-BY-4.0
---
# Team Zorvex

## Mascot

The mascot of Team Zorvex is a **green
turtle** with a [yellow hat](https://evil.example/hat). <!-- it is a gun --> <b onclick="x">It</b> waves.

![Zorvex the turtle, waving](pictures/zorvex.png)
![elsewhere](https://evil.example/x.png) ![outside](../secret.png)

| What | Which |
|------|-------|
| Colours | purple, black |
"""


@pytest.fixture
def root(tmp_path: Path, home: Path) -> Path:
    """Return a folder with one document of each kind."""
    root = tmp_path / "brand"
    (root / "pictures").mkdir(parents=True)
    (root / "guide.md").write_text(GUIDE, encoding="utf-8")
    (root / "notes.txt").write_text("First line.\n\nCaptain Quill is a brown bear.\n", encoding="utf-8")
    (root / "sheet.pdf").write_bytes(pdf_bytes("The Gloop 3000 is a pink umbrella."))
    for name in ("zorvex.png", "logo.webp", "plain.jpg"):
        Image.new("RGB", (8, 8)).save(root / "pictures" / name)
    (root / "pictures" / "logo.txt").write_text("The Acme logo is a red star.", encoding="utf-8")
    Image.new("RGB", (8, 8)).save(tmp_path / "secret.png")
    return root


def all_of(root: Path) -> dict[str, Passage]:
    return {p.text: p for p in folder.load(root).search("anything", 100)}


# -- a folder ------------------------------------------------------------------------------------


def test_each_is_a_knowledge(root: Path) -> None:
    assert isinstance(folder.load(root), Knowledge)
    assert isinstance(packaged.load(), Knowledge)


@pytest.mark.parametrize(
    ("query", "text", "locator"),
    [
        ("the mascot of Team Zorvex", "The mascot of Team Zorvex is a green turtle", "guide.md:9"),
        ("Captain Quill", "Captain Quill is a brown bear.", "notes.txt:3"),
        ("Gloop 3000", "The Gloop 3000 is a pink umbrella.", "sheet.pdf#page=1"),
        ("the logo of Acme", "The Acme logo is a red star.", "pictures/logo.webp"),
    ],
)
def test_the_nearest_passage_says_what_was_asked_and_where_it_stands(
    root: Path, query: str, text: str, locator: str
) -> None:
    knows = folder.load(str(root))
    found = knows.search(query, 3)
    assert len(found) == 3
    assert found[0].score >= found[1].score >= found[2].score
    best = next(p for p in found if p.text.startswith(text))
    assert best.source.locator == locator
    assert best.source.quote == best.text
    assert knows.notes == ()


def test_a_source_names_its_title_licence_hash_and_picture(root: Path) -> None:
    said = all_of(root)
    mascot = said["The mascot of Team Zorvex is a green turtle with a yellow hat. It waves."].source
    assert (mascot.title, mascot.licence, mascot.image) == ("Team Zorvex, Mascot", "CC-BY-4.0", None)
    assert mascot.sha256 == documents_hash(root / "guide.md")
    shown = said["Zorvex the turtle, waving"].source
    assert (shown.image, shown.locator) == ("pictures/zorvex.png", "guide.md:12")
    logo = said["The Acme logo is a red star."].source
    assert (logo.image, logo.title, logo.sha256) == (
        "pictures/logo.webp", "logo", documents_hash(root / "pictures" / "logo.webp")
    )  # fmt: skip


def documents_hash(path: Path) -> str:
    from hashlib import sha256

    return sha256(path.read_bytes()).hexdigest()


def test_markup_and_what_nobody_sees_is_not_read_and_pictures_elsewhere_are_not_there(root: Path) -> None:
    said = all_of(root)
    assert "Colours: purple, black" in said
    assert not {"elsewhere", "outside"} & said.keys()
    assert not any("gun" in text or "onclick" in text or "evil" in text or "What" in text for text in said)


def test_long_paragraphs_are_split_between_sentences(root: Path) -> None:
    (root / "long.txt").write_text(" ".join(f"Sentence number {i} ends here." for i in range(100)), encoding="utf-8")
    parts = [p.text for p in all_of(root).values() if p.source.locator == "long.txt:1"]
    assert len(parts) > 5
    assert all(len(part) <= documents.MAX_PASSAGE and part.endswith("here.") for part in parts)


def test_characters_that_are_not_seen_are_left_out() -> None:
    assert clean("a\x1b[31m\u202eb\u200bc\x00 \n d") == "a [31mbc d"


def test_a_folder_that_is_not_there_is_an_error_in_one_line(tmp_path: Path, home: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        folder.load(tmp_path / "nowhere")


def test_an_empty_folder_knows_nothing(tmp_path: Path, home: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert folder.load(tmp_path / "empty").search("anything") == []


def hostile(root: Path) -> dict[str, str]:
    """Put files that cannot be read into a folder; return what is said of each."""
    (root / "latin.txt").write_bytes(b"caf\xe9")
    (root / "broken.pdf").write_bytes(b"%PDF-1.4 nothing else")
    (root / "empty.pdf").write_bytes(b"")
    for name, data in {"text": b"no picture", "svg": b"<svg/>", "gif": b"GIF89a" + b"\0" * 20}.items():
        (root / f"{name}.png").write_bytes(data)
        (root / f"{name}.txt").write_text("a caption", encoding="utf-8")
    Image.new("1", (7000, 7000)).save(root / "bomb.png")
    (root / "bomb.txt").write_text("a bomb", encoding="utf-8")
    with (root / "large.txt").open("wb") as file:
        file.truncate(documents.MAX_FILE + 1)
    return {
        "latin.txt": "UTF-8", "broken.pdf": "not a PDF", "empty.pdf": "not a PDF", "text.png": "not a picture",
        "svg.png": "not a picture", "gif.png": "not a picture", "bomb.png": "too many", "large.txt": "larger",
    }  # fmt: skip


def test_what_cannot_be_read_is_told_and_the_rest_is_found(root: Path) -> None:
    expected = hostile(root)
    knows = folder.load(root)
    assert knows.search("Captain Quill")[0].text == "Captain Quill is a brown bear."
    assert len(knows.notes) == len(expected)
    for name, why in expected.items():
        assert any(note.startswith(name) and why in note for note in knows.notes), name


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_links_that_leave_the_folder_are_not_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("The secret is a gun.", encoding="utf-8")
    (root / "link.txt").symlink_to(outside / "secret.txt")
    (root / "folder").symlink_to(outside)
    (root / "nowhere.txt").symlink_to(outside / "nothing")
    (root / "inside.txt").symlink_to(root / "notes.txt")
    os.mkfifo(root / "pipe.txt")
    knows = folder.load(root)
    found = {p.source.locator: p.text for p in knows.search("secret gun", 100)}
    assert not any("secret" in text for text in found.values())
    assert "inside.txt:3" in found
    assert {note.partition(":")[0] for note in knows.notes} == {"link.txt", "nowhere.txt", "pipe.txt"}


# -- the index -----------------------------------------------------------------------------------


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is embedded while the test runs, queries included."""
    seen: list[str] = []

    def embed(texts: list[str]) -> index.Vectors:
        seen.extend(texts)
        return sentence_encoder.embed(texts)

    monkeypatch.setattr(index, "embed", embed)
    return seen


def test_only_files_that_changed_are_embedded_again(root: Path, embedded: list[str]) -> None:
    folder.load(root).search("x")
    assert len(embedded) > 5
    embedded.clear()
    folder.load(root).search("x")
    assert embedded == ["x"]
    (root / "notes.txt").write_text("Captain Quill is a purple octopus.", encoding="utf-8")
    embedded.clear()
    assert folder.load(root).search("Captain Quill")[0].text == "Captain Quill is a purple octopus."
    assert embedded == ["notes: Captain Quill is a purple octopus.", "Captain Quill"]


def test_a_caption_that_changed_is_read_again(root: Path) -> None:
    folder.load(root).search("x")
    (root / "pictures" / "logo.txt").write_text("The Acme logo is a blue star.", encoding="utf-8")
    assert folder.load(root).search("Acme logo")[0].text == "The Acme logo is a blue star."


def test_what_was_removed_is_forgotten(root: Path, home: Path) -> None:
    folder.load(root).search("x")
    (root / "notes.txt").unlink()
    assert not any("Quill" in text for text in all_of(root))
    stored = (home / "knowledge" / "index.sqlite").read_bytes()
    with sqlite3.connect(home / "knowledge" / "index.sqlite") as database:
        kept = " ".join(text for (text,) in database.execute("SELECT passages FROM files"))
    database.close()
    assert "Quill" not in kept
    assert stored


@pytest.mark.parametrize("column", ["passages", "vectors", "seal"])
def test_a_damaged_file_of_the_index_is_read_again_and_told(
    root: Path, home: Path, embedded: list[str], column: str
) -> None:
    before = all_of(root)
    with sqlite3.connect(home / "knowledge" / "index.sqlite") as database:
        [(key, value)] = database.execute(f"SELECT key, {column} FROM files LIMIT 1").fetchall()
        flipped = value[:-9] + (b"?" if isinstance(value, bytes) else "?") + value[-8:]
        database.execute(f"UPDATE files SET {column} = ? WHERE key = ?", (flipped, key))
    database.close()
    embedded.clear()
    knows = folder.load(root)
    assert {p.text: p for p in knows.search("anything", 100)} == before
    assert 1 < len(embedded) < len(before)
    assert [note for note in knows.notes if "damaged" in note]
    assert folder.load(root).notes == ()


@pytest.mark.heavy
@pytest.mark.parametrize("data", [b"", b"garbage" * 1000, None])
def test_a_damaged_index_is_built_anew(root: Path, home: Path, data: bytes | None) -> None:
    before, path = all_of(root), home / "knowledge" / "index.sqlite"
    whole = bytearray(path.read_bytes())
    whole[100:4096] = b"\xff" * 3996
    path.write_bytes(bytes(whole) if data is None else data)
    assert all_of(root) == before
    assert folder.load(root).notes == ()


def test_a_home_that_cannot_be_written_only_costs_time(root: Path, home: Path) -> None:
    (home / "knowledge").write_text("in the way")
    knows = folder.load(root)
    assert knows.search("Captain Quill")[0].text == "Captain Quill is a brown bear."
    assert ["could not be used" in note for note in knows.notes] == [True]


def test_search_is_exact_and_of_equals_the_earlier_comes_first() -> None:
    texts = ["a red apple", "a spider", "a red apple", "the sea at night"]
    passages = [Passage(text=t, source=Source(title="", locator=str(i)), score=0) for i, t in enumerate(texts)]
    vectors = sentence_encoder.embed(texts)
    found = Index(passages, vectors).search("an apple", 9)
    assert [p.source.locator for p in found][:2] == ["0", "2"]
    expected = vectors @ sentence_encoder.embed(["an apple"])[0]
    assert [p.score for p in found] == pytest.approx(sorted(expected.tolist(), reverse=True), abs=1e-3)
    assert Index(passages, vectors).search("an apple", 0) == []


def test_vectors_are_of_unit_length_and_do_not_depend_on_their_neighbours() -> None:
    texts = ["a red apple", "", "a much longer sentence about a spider that has eight legs and a web", "words " * 200]
    vectors = sentence_encoder.embed(texts)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.abs(vectors - np.concatenate([sentence_encoder.embed([t]) for t in texts])).max() < 1e-4
    assert sentence_encoder.embed([]).shape == (0, 384)


# -- what is packaged ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known() -> packaged.Packaged:
    with temporary_home():
        knows = packaged.load()
        knows.search("x")
    return knows


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("how many legs does a spider have", "A spider has 8 legs."),
        ("wheels of a tricycle", "A tricycle has 3 wheels."),
        ("number of strings of a violin", "A violin has 4 strings."),
        ("color of a banana", "A banana is yellow."),
        ("what is a plane", "plane is another word for airplane."),
    ],
)
def test_packaged_knowledge_is_found(known: packaged.Packaged, query: str, text: str) -> None:
    assert text in [p.text for p in known.search(query)]


def test_facts_are_typed_and_each_is_said_by_its_sentence() -> None:
    keys = [(f.subject, f.relation) for f in load_facts()]
    assert len(set(keys)) == len(keys)
    assert {f.subject for f in load_facts()} >= set(CONCEPTS)
    for fact in load_facts():
        said = "no" if fact.value == 0 else str(fact.value)
        assert fact.subject == fact.subject.lower()
        assert fact.subject in fact.text.lower()
        assert said in fact.text or fact.relation == "kind"
    table = {(f.subject, f.relation): f.value for f in load_facts()}
    assert (table["spider", "legs"], table["dog", "legs"], table["week", "days"]) == (8, 4, 7)


# -- readers that are kept busy ------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.md", "---" + "\n" * 1_000_000 + "x"),
        ("a.txt", "---\nlicence:" + " " * 1_000_000 + "x\n---\na turtle."),
        ("a.txt", "licence:" + " " * 1_000_000 + "x"),
    ],
)
def test_what_was_read_in_the_square_of_its_size_is_read_at_once(tmp_path: Path, name: str, text: str) -> None:
    began = time.monotonic()
    documents.decode(text.encode(), Origin(name, "a", ""))
    assert time.monotonic() - began < 5


def test_front_matter_ends_at_the_first_line_of_dashes() -> None:
    origin = Origin("a.md", "a", "")
    for text, licence, rest in (
        ("---\nlicence: 'CC0'\n---\na", "CC0", "\n\n\na"),
        ("---\nLicense:  MIT \r\n--- \n---\n", "MIT", "\n\n\n---\n"),
        ("---\ntitle: a\n", "", "---\ntitle: a\n"),
        ("a\n---\nlicence: b\n---\n", "", "a\n---\nlicence: b\n---\n"),
    ):
        found, at = documents.decode(text.encode(), origin)
        assert (found, at.licence) == (rest, licence)


@pytest.mark.heavy
def test_a_document_that_takes_too_long_or_too_much_is_left_out_and_the_next_is_read(tmp_path: Path) -> None:
    place = Place(tmp_path.resolve())
    (tmp_path / "slow.pdf").write_bytes(pdf_of(b"BT /F 12 Tf 10 10 Td (a) Tj ET\n" * 300_000))
    (tmp_path / "good.txt").write_text("A turtle.")

    def read(of: Reading, name: str) -> list[Passage]:
        return of.passages(place.root / name, sha256(place.read(place.root / name)).hexdigest())

    patient, hasty = Reading(place), Reading(place, seconds=0.5)
    assert [p.text for p in read(patient, "good.txt")] == ["A turtle."]
    for _ in range(reading.MOST_CUT):
        with pytest.raises(Unreadable, match=r"slow\.pdf: cannot be read .*0\.5 s"):
            read(hasty, "slow.pdf")
    with pytest.raises(Unreadable, match="no more are read"):
        read(hasty, "good.txt")
    assert [p.text for p in read(patient, "good.txt")] == ["A turtle."]


@pytest.mark.heavy
def test_a_document_of_too_many_passages_or_that_changed_is_left_out(tmp_path: Path) -> None:
    place = Place(tmp_path.resolve())
    path = place.root / "many.txt"
    path.write_text("a.\n\n" * (documents.MAX_PASSAGES + 1))
    with pytest.raises(Unreadable, match="passages; split it"):
        Reading(place).passages(path, sha256(path.read_bytes()).hexdigest())
    with pytest.raises(Unreadable, match="it changed"):
        Reading(place).passages(path, "0" * 64)
