"""References: pictures that show what a thing is to look like, from a person or found with an answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scope.config import named_picture
from scope.errors import ImageError, UsageError
from scope.files import sha256_of_file
from scope.runs.png import open_picture
from scope.skills.named_things import thing_named
from scope.specification import Answer, Specification, Type, answers


@dataclass(frozen=True)
class Shown:
    """A thing, and where the picture that shows it may lie, outside of any run.

    `sha256` is that of its bytes when it was found; "": a person gave it, as it is. `licence` "": not stated.
    """

    commitment: str
    paths: tuple[Path, ...]
    sha256: str = ""
    licence: str = ""

    def opened(self) -> Image.Image | None:
        """Return the picture, in RGB or RGBA; None: it was found, and is gone, changed or no picture.

        Raises: ImageError if a person gave it and it cannot be read.
        """
        if not self.sha256:
            return open_picture(self.paths[0], transparent=True)
        try:
            same = (path for path in self.paths if path.is_file() and sha256_of_file(path) == self.sha256)
            return next((open_picture(path, transparent=True) for path in same), None)
        except (ImageError, OSError):
            return None


def given(spec: Specification, texts: Sequence[str]) -> tuple[Shown, ...]:
    """Return the pictures that a person gave, "PHRASE=PICTURE" each; they are not opened.

    Raises: UsageError if a phrase is of no thing or of several, or a thing has two pictures.
    """
    shown: list[Shown] = []
    for text in texts:
        phrase, path = named_picture(text)
        thing = thing_named(spec, phrase, "--reference")
        if any(thing.id == other.commitment for other in shown):
            raise UsageError(f"--reference {text!r}: {thing.value} has a picture already; give each thing one")
        shown.append(Shown(thing.id, (path,)))
    return tuple(shown)


def check(spec: Specification, texts: Sequence[str]) -> None:
    """Look whether the pictures that a person gave are of things of the prompt, and can be read.

    Raises: UsageError that says which is not.
    """
    for text, shown in zip(texts, given(spec, texts), strict=True):
        try:
            shown.opened()
        except ImageError as error:
            raise UsageError(f"--reference {text!r}: {error}") from error


def found(spec: Specification, folders: Sequence[str]) -> tuple[Shown, ...]:
    """Return the pictures that were found with answers, in the folders that were searched; they are not opened."""
    return tuple(shown for answer in answers(spec).values() for shown in _of_answer(answer, folders))


def _of_answer(answer: Answer, folders: Sequence[str]) -> Iterator[Shown]:
    """Yield the first picture of an answer, for each thing of which it says what it is."""
    source = next((s for s in answer.sources if s.image and s.image_sha256), None)
    if source is not None and source.image:
        paths = tuple(Path(folder) / source.image for folder in folders)
        for fact in answer.facts:
            if fact.type is Type.PRESENCE and fact.target:
                yield Shown(fact.target, paths, source.image_sha256, source.licence)
