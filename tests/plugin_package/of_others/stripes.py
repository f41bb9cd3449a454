"""A generator that draws one stripe per word."""

from collections.abc import Sequence
from hashlib import sha256

from PIL import Image

from scope.protocols import OnStep, Picture, ignore_steps
from scope.specification import Request

_SIZE = 32  # pixels


class Stripes:
    """Draws one stripe per word, coloured by the word and the seed."""

    name = "stripes"
    version = "2.5"
    reads: frozenset[str] = frozenset()
    weights: dict[str, str] = {}
    vocabulary = None

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request."""
        pictures = []
        for request in requests:
            words = request.text.split() or [""]
            image = Image.new("RGB", (len(words), 1))
            for place, word in enumerate(words):
                image.putpixel((place, 0), tuple(sha256(f"{request.seed} {word}".encode()).digest()[:3]))
            on_step(1, 1)
            pictures.append(Picture(image.resize((_SIZE, _SIZE), Image.Resampling.NEAREST)))
        return pictures
