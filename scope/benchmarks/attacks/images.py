"""Pictures that others made: mutated and crafted files of the formats that are read, and of some that are not.

An attack bites if anything but an ImageError comes of it, or a picture that is larger than the limits.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from PIL import Image

from scope.benchmarks.attacks.tally import Tally
from scope.runs.png import MAX_PIXELS, open_picture, open_png
from scope.testing.malformed import scrambled

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def attack(count: int, chance: Random) -> Tally:
    """Open `count` odd pictures."""
    tally = Tally()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "odd.png"
        for what, data in islice(_cases(chance), count):
            path.write_bytes(data)
            tally.attempt(what, partial(_opened, path))
    return tally


def _opened(path: Path) -> None:
    picture = open_picture(path, transparent=True)
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"{picture.size} pixels were read")
    open_png(path)


def _cases(chance: Random) -> Iterator[tuple[str, bytes]]:
    yield from _crafted()
    files = [(format_, _file(mode, format_)) for format_, modes in _MODES.items() for mode in modes]
    while True:
        format_, data = chance.choice(files)
        yield f"a scrambled {format_}", scrambled(data, chance)


_MODES = {"PNG": ("RGB", "RGBA", "L", "P", "1", "I;16"), "JPEG": ("RGB", "L", "CMYK"), "WEBP": ("RGB", "RGBA")}


def _file(mode: str, format_: str) -> bytes:
    image = Image.linear_gradient("L").resize((24, 16))
    file = io.BytesIO()
    (image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)).save(file, format_)
    return file.getvalue()


def _crafted() -> Iterator[tuple[str, bytes]]:
    pixels = _chunk(b"IDAT", zlib.compress(b"\0" * 4))
    for width, height in ((2**31 - 1, 2**31 - 1), (0, 0), (2**31, 1), (9000, 9000), (40_000_001, 1), (1, 2**30)):
        yield f"a header of {width} x {height}", _png(pixels, width=width, height=height)
    for depth, color in ((0, 0), (16, 6), (3, 3), (8, 9), (1, 2)):
        yield f"depth {depth}, colour {color}", _png(pixels, depth=depth, color=color)
    bomb = zlib.compress(b"\0" * 100_000_000)
    for kind, data in (
        (b"IDAT", bomb), (b"zTXt", b"scope\0\0" + bomb), (b"iTXt", b"scope\0\1\0\0\0" + bomb),
        (b"iCCP", b"a\0\0" + bomb), (b"tEXt", b"scope"), (b"iTXt", b"scope"), (b"PLTE", b"\0"),
        (b"tRNS", b""), (b"eXIf", b"\xff" * 99),
        (b"acTL", struct.pack(">II", 2**31 - 1, 0)), (b"fcTL", b"\0" * 26), (b"gAMA", b"\0\0\0\0"), (b"\0\0\0\0", b""),
    ):  # fmt: skip
        yield f"a chunk {kind!r}", _png(_chunk(kind, data) + pixels)
    yield "a length that lies", _png(struct.pack(">I", 2**31 - 1) + b"IDAT")
    for data in (
        b"", b"hello", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", b"%!PS-Adobe-3.0 EPSF-3.0\n(id) print\n", _SIGNATURE,
        b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"II*\0\x08\0\0\0", b"BM" + b"\xff" * 60, b"\xff\xd8\xff",
        b"RIFF\xff\xff\xff\xffWEBPVP8X" + b"\xff" * 30, b"\x00" * 5000, b"8BPS\0\x01" + b"\0" * 20,
        b"P6 99999 99999 255\n",
    ):  # fmt: skip
        yield f"{data[:8]!r}", data


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(chunks: bytes, width: int = 1, height: int = 1, depth: int = 8, color: int = 2) -> bytes:
    header = struct.pack(">IIBBBBB", width & 0xFFFFFFFF, height & 0xFFFFFFFF, depth, color, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + chunks + _chunk(b"IEND", b"")
