"""The loop's verifier of words: RapidOCR (PP-OCR models inside its wheel, Apache-2.0), offline.

A sign is there where words can be read, so it answers for the presence of signs too.
"""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from importlib.metadata import version as installed

import numpy as np
from PIL import Image as PillowImage
from PIL.Image import Image
from rapidocr import RapidOCR

from scope.specification import Commitment, Observation, Specification, Type, Verdict, from_pixels

_SETTINGS = {
    "Global.log_level": "critical",
    "Global.use_cls": False,  # signs stand upright
    "Det.limit_side_len": 320,
    "Det.limit_type": "max",
}
_MIN_SIDE = 256  # pixels; small pictures are enlarged, which the detector of words wants
_MAX_ASPECT = 32  # the longer side over the shorter one


def normalise(text: str) -> str:
    """Return letters and digits only, without case: two texts are equal where this is."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def similarity(expected: str, lines: Sequence[str]) -> float:
    """Return how near the lines, or all of them together, come to the expected words in [0, 1]; 1: equal."""
    normal = [normalise(line) for line in lines]
    texts = [text for text in (*normal, "".join(normal)) if text]
    return max((SequenceMatcher(None, normalise(expected), text).ratio() for text in texts), default=0.0)


class TextVerifier:
    """Reads the picture once and compares each text of a commitment with what it read."""

    name = "text"

    def __init__(self) -> None:
        self.version = f"1+rapidocr{installed('rapidocr')}"
        self._engine = RapidOCR(params=_SETTINGS)

    def handles(self, commitment: Commitment) -> bool:
        """Return whether this is a commitment about written words, or the sign that they stand on."""
        return commitment.type is Type.TEXT or (commitment.type is Type.PRESENCE and commitment.value == "sign")

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment: met where its text is read, letter for letter."""
        lines, boxes = self.read_lines(image)
        evidence = tuple(
            Observation(label=line, box=from_pixels(box, *image.size)) for line, box in zip(lines, boxes, strict=False)
        )
        return [self._verdict(c, lines, evidence) for c in commitments]

    def read_lines(self, image: Image) -> tuple[list[str], list[list[float]]]:
        """Return the lines that are read and their boxes in pixels of the image."""
        if max(image.size) > _MAX_ASPECT * min(
            image.size
        ):  # a strip: the engine cannot scale it, and nobody can read it
            return [], []
        scale = max(1, -(-_MIN_SIDE // min(image.size)))
        large = image.convert("RGB").resize((image.width * scale, image.height * scale), PillowImage.Resampling.BICUBIC)
        result = self._engine(np.asarray(large)[..., ::-1])  # it expects BGR
        lines = [str(text) for text in (result.txts or ())]
        quads = [] if result.boxes is None else [np.asarray(q) / scale for q in result.boxes]
        return lines, [[*map(float, q.min(0)), *map(float, q.max(0))] for q in quads]

    def _verdict(self, commitment: Commitment, lines: list[str], evidence: tuple[Observation, ...]) -> Verdict:
        if not self.handles(commitment):
            name, reason = f"{self.name}@{self.version}", "this verifier reads words only"
            return Verdict(commitment=commitment.id, outcome=None, reason=reason, verifier=name)
        score = 1.0 if commitment.type is Type.PRESENCE and lines else similarity(str(commitment.value), lines)
        reason = f"read {', '.join(repr(line) for line in lines)}" if lines else "no words could be read"
        return Verdict(
            commitment=commitment.id,
            outcome="met" if score == 1 else "violated",
            reason=reason,
            verifier=f"{self.name}@{self.version}",
            score=round(score, 3),
            evidence=evidence,
        )


def load() -> TextVerifier:
    """Return the verifier; its models are in the package rapidocr."""
    return TextVerifier()
