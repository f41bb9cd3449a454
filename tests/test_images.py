"""A picture carries its record, the record can be trusted to come back, and a hostile picture is only an error."""

import json
import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scope.errors import ImageError, OutputError
from scope.runs.marks import sidecar
from scope.runs.png import LIMIT, Record, open_png, parameters, png_bytes, read_record, save_png
from scope.specification import (
    Cause,
    Commitment,
    Draft,
    Judgement,
    Kind,
    Request,
    Specification,
    Status,
    Type,
    Verdict,
    fold,
)

PNG = b"\x89PNG\r\n\x1a\n"


def picture(seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8))


def specification(time: float = 0.0, apples: int = 1) -> Specification:
    spec = Specification(prompt="a red apple, 'naïve' 苹果")
    for number in range(1, apples + 1):
        apple = Commitment(
            id=f"e{number}", kind=Kind.ENTITY, type=Type.PRESENCE, claim="there is an apple", value="apple"
        )
        spec = spec.declare(apple, Cause.skill("decompose", "1"), time=time)
        spec = spec.move(apple.id, Status.BOUND, Cause.skill("bind", "1"), time=time, seconds=time)
    return spec


def record(**changes: object) -> Record:
    request = Request(text="a red apple", seed=7, steps=20, cfg_scale=4.0)
    fields: dict[str, object] = {
        "run": "r1",
        "specification": specification(),
        "draft": Draft(id="d1", path="drafts/d1.png", sha256="0" * 64, request=request, generator="fake@1"),
        "verdicts": (Verdict(commitment="e1", outcome="met", reason="seen", verifier="fake@1"),),
        "options": {"seed": 7},
        "weights": {"fake.safetensors": "ab" * 32},
        "versions": {"scope-t2i": "0.1.0"},
    }
    return Record.model_validate(fields | changes)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks: bytes, width: int = 1, height: int = 1) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return PNG + header + b"".join(chunks) + chunk(b"IDAT", zlib.compress(b"\0" * 4)) + chunk(b"IEND", b"")


def itxt(text: bytes, packed: bool = False) -> bytes:
    return chunk(b"iTXt", b"scope\0" + bytes([packed, 0]) + b"\0\0" + (zlib.compress(text) if packed else text))


def test_record_and_pixels_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save_png(path, picture(), record())
    assert read_record(path) == record(run=None)
    assert Record.model_validate_json(sidecar(path).read_bytes()) == record()
    assert np.array_equal(np.asarray(open_png(path)), np.asarray(picture()))


def test_bytes_do_not_depend_on_the_clock_or_the_run() -> None:
    late = record(run="r2", specification=specification(time=1e9))
    late = late.model_copy(update={"draft": late.draft.model_copy(update={"seconds": 9.0})})
    assert png_bytes(picture(), late) == png_bytes(picture(), record())
    assert png_bytes(picture(1), record()) != png_bytes(picture(), record())


def test_without_record_nothing_is_written_but_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save_png(path, picture(), None)
    assert list(tmp_path.iterdir()) == [path]
    assert open_png(path).info == {}
    with pytest.raises(ImageError, match="no scope record"):
        read_record(path)


def test_others_can_read_that_it_is_synthetic_and_how_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save_png(path, picture(), record())
    info = open_png(path).info
    source = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
    values = [element.get(source) for element in ET.fromstring(info["XML:com.adobe.xmp"]).iter() if element.get(source)]
    assert values == ["http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"]
    prompt, settings = info["parameters"].rsplit("\n", 1)
    assert prompt == record().specification.prompt
    assert dict(pair.split(": ") for pair in settings.split(", ")) == {
        "Steps": "20", "Seed": "7", "Model": "fake@1", "Version": "scope 0.1.0",
        "CFG scale": "4.0", "Model hash": "ab" * 5,
    }  # fmt: skip
    assert parameters(record()) == info["parameters"]


def test_a_long_record_is_trimmed_in_the_picture_and_whole_beside_it(tmp_path: Path) -> None:
    heavy = Verdict(commitment="e1", outcome="met", reason="seen", verifier="fake@1", details={"x": "y" * LIMIT})
    path = tmp_path / "a.png"
    save_png(path, picture(), record(verdicts=(heavy,)))
    assert read_record(path).trimmed == ("evidence of verdicts",)
    assert read_record(path).verdicts[0].outcome == "met"
    assert Record.model_validate_json(sidecar(path).read_bytes()).verdicts[0] == heavy


def test_trimming_the_ledger_keeps_every_commitment(tmp_path: Path) -> None:
    spec = specification(apples=600)
    for number in range(1, 601):
        spec = spec.move(
            f"e{number}", Status.MET, Cause.verifier("fake@1"), draft="d1", evidence=Judgement(reason="y" * 300)
        )
    path = tmp_path / "a.png"
    save_png(path, picture(), record(specification=spec))
    found = read_record(path)
    assert found.trimmed == ("evidence of verdicts", "events after the declarations")
    assert found.specification.commitments == spec.commitments
    assert fold(found.specification.prompt, found.specification.events) == found.specification


def test_the_old_picture_stays_when_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        save_png(tmp_path / "missing" / "a.png", picture(), record())


HOSTILE = {
    "empty": b"",
    "text": b"hello",
    "gif": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n(id) print\n",
    "signature": PNG,
    "lying header": png(width=2_000_000_000, height=2_000_000_000),
    "large header": png(width=9_000, height=9_000),
    "cut": png(itxt(b"{}"))[:-30],
    "bomb": png(itxt(b"0" * 40_000_000, packed=True)),
    "compressed text bomb": png(chunk(b"zTXt", b"scope\0\0" + zlib.compress(b"0" * 40_000_000))),
    "not json": png(itxt(b"{")),
    "deep json": png(itxt(b"[" * 100_000)),
    "not utf-8": png(itxt(b"\xff\xfe")),
    "wrong shape": png(itxt(b'{"schema": 2, "run": 3}')),
    "other version": png(itxt(json.dumps(record().model_dump(mode="json") | {"schema": 3}).encode())),
    "extra field": png(itxt(json.dumps(record().model_dump(mode="json") | {"run_this": "rm"}).encode())),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_one_clear_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        read_record(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 1_000


def test_random_damage_never_gives_another_exception(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    whole = bytearray(png_bytes(picture(), record()))
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(random.integers(1, 8)):
            damaged[random.integers(0, len(damaged))] = random.integers(0, 256)
        path.write_bytes(damaged[: random.integers(0, len(damaged) + 1)] if random.random() < 0.2 else damaged)
        try:
            assert read_record(path).draft.id
        except ImageError:
            continue


@pytest.mark.parametrize("path", ["nothing.png", "."])
def test_what_is_no_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError):
        read_record(tmp_path / path)
