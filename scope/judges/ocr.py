"""The judge's OCR: Tesseract 5 (Apache-2.0), which shares nothing with the loop's.

Signs are found first, for of a whole picture Tesseract reads mostly leaves and tiles. A sign is a light, colourless
area inside the picture that is wider than it is high. It is read at three sizes; the text that most give counts.
Of the fonts of the world's signs, Tesseract cannot read the digits of the marker.
"""

import io
import os
import shutil
import subprocess
import unicodedata
from collections import Counter

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL.Image import Image
from scipy import ndimage

from scope.errors import ScopeError

SIDE = 128  # pixels to which a picture is brought first
_LIGHT, _COLORLESS = 210, 28  # least of the three channels, and most between them, of 255
_MIN_WIDTH, _MIN_HEIGHT = 40, 12  # pixels
_SCALES, _PADDING = (1.0, 1.25, 1.5), 10  # enlargements, and white pixels put around a line
_ONE_LINE, _SPARSE = "7", "11"  # Tesseract's page segmentation modes


def normalise(text: str) -> str:
    """Return letters and digits only, without case: two texts are equal where this is."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def read_words(image: Image) -> tuple[str, ...]:
    """Return the normalised text of each sign of a picture; without a sign, of the words that are anywhere.

    Raises: ScopeError if Tesseract is not installed or fails.
    """
    picture = image.convert("RGB").resize((SIDE, SIDE))
    boards = detect_signs(np.asarray(picture))
    if not boards:
        return _tesseract(picture.convert("L").resize((4 * SIDE, 4 * SIDE)), _SPARSE)
    return tuple(text for box in boards if (text := _recognise(picture.crop(box).convert("L"))))


def detect_signs(pixels: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    """Return the boxes (x0, y0, x1, y1) of the light boards in a picture (h, w, 3), without their outermost pixel."""
    light = (pixels.min(-1) > _LIGHT) & (np.ptp(pixels, axis=-1) < _COLORLESS)
    areas, _ = ndimage.label(light)
    boxes = [(x.start, y.start, x.stop, y.stop) for y, x in ndimage.find_objects(areas)]
    return [
        (x0 + 1, y0 + 1, x1 - 1, y1 - 1)
        for x0, y0, x1, y1 in boxes
        if x0 > 0 and x1 < pixels.shape[1] and x1 - x0 >= max(_MIN_WIDTH, 2 * (y1 - y0)) and y1 - y0 >= _MIN_HEIGHT
    ]


def _recognise(board: Image) -> str:
    """Return the text that most sizes of a board give; where none agree, the first that is not empty."""
    texts = ["".join(_tesseract(_enlarge(board, scale), _ONE_LINE)) for scale in _SCALES]
    votes = Counter(text for text in texts if text)
    return votes.most_common(1)[0][0] if votes else ""


def _enlarge(board: Image, scale: float) -> Image:
    size = (round(board.width * scale), round(board.height * scale))
    large = PillowImage.new("L", (size[0] + 2 * _PADDING, size[1] + 2 * _PADDING), 250)
    large.paste(board.resize(size, PillowImage.Resampling.BICUBIC), (_PADDING, _PADDING))
    return large


def _tesseract(image: Image, mode: str) -> tuple[str, ...]:
    """Return the words that Tesseract reads, normalised."""
    program = shutil.which("tesseract")
    if program is None:
        raise ScopeError("the judge reads with Tesseract, which is not installed; run: apt-get install tesseract-ocr")
    png = io.BytesIO()
    image.save(png, "PNG")
    done = subprocess.run(
        [program, "stdin", "stdout", "--psm", mode, "--dpi", "150"], input=png.getvalue(), capture_output=True,
        check=False, env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )  # fmt: skip
    if done.returncode:
        raise ScopeError(f"Tesseract failed: {done.stderr.decode(errors='replace').strip()[-200:]}")
    return tuple(word for raw in done.stdout.decode(errors="replace").split() if (word := normalise(raw)))
