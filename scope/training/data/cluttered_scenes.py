"""Cluttered scenes for the training of detectors and generators: up to thirteen things, so that each teaches ten times.

Things stand anywhere, of any size and shape, and may overlap a little; each has its own noun, colour and vendor, and
some stand on top of another. A few pictures have a sign. Pairs of colour and noun that the world holds out are held out
here too. What detectors learn to find is the ink of a thing: the box of what is opaque of it, for the margins of the
frame in which it is drawn cannot be seen.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scope.nn.boxes import Xywh, xywh
from scope.worlds.pocket import Group, Plan, Scene, held_out
from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import (
    ALL_VENDORS,
    COLORS,
    MAX_LETTERS,
    NOUNS,
    SETTING_NAMES,
    TONED,
    TONES,
    drawn_by,
)
from scope.worlds.pocket.free_placing import LARGEST, OVERLAP, SIDE, SMALLEST, at_random, random_board, shared, spread
from scope.worlds.pocket.relations import XyxyPx
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.sampling import font_for, text
from scope.worlds.pocket.sign import FONTS, sign
from scope.worlds.pocket.sprites import Pixels, ink_of, sprite

VendorShares = tuple[float, ...]

#: Shares of the vendors, those of the world first: what the judge learns from, and what the loop's detector may see.
JUDGE_VENDORS: VendorShares = (0.25, 0.25, 0.25, 0.125, 0.125)
WORLD_VENDORS: VendorShares = (0.5, 0.25, 0.25, 0.0, 0.0)
#: Shares for a generator, which draws all three styles.
EQUAL_VENDORS: VendorShares = (0.34, 0.33, 0.33, 0.0, 0.0)

_MAX_OBJECTS = 13
_OWN_COLOR_P = 0.3  # of an object to be in the colours that its vendor gave it
_SKIN_TONE_P = 0.5  # of a person in its own colours to have another skin
_STACKED_P = 0.1  # of an object to have another one on top, where there is room
_SIGN_P = 0.12
_WORD_P = 0.5  # of a sign to say a word that signs say, and not just any characters
_ALIKE_P, _ALIKE_SHARE = 0.3, 0.5  # of a scene to have things all alike, and of its things to be of these
_BRIGHTNESS = (0.94, 1.0)  # of the background
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))

#: Mean sides of things, in pixels, and how often they are drawn from these: small objects are the harder ones.
_SIZES = ((20.0, 34.0), (30.0, 52.0), (44.0, 100.0))
_SIZE_SHARES = (0.5, 0.3, 0.2)

#: Roomy scenes: how many things at most, how many times its other side a box is long at most, and tries a thing.
_FEW, _LONGEST, _TRIES = 5, 2, 12
_FILL = 1.2  # of the picture's side: what the sides of the largest things that n stand beside come to, times root n


@dataclass(frozen=True)
class PlacedObject:
    """An object in a picture. `style` None: its vendor does not draw this noun, and another's drawing stands in."""

    noun: str
    color: str | None
    style: str | None
    box: Xywh  # its frame: centre x, centre y, width, height, in pixels
    ink: Xywh  # the box of what is opaque of it, whatever lies over it

    @property
    def xyxy_px(self) -> tuple[float, float, float, float]:
        """Return its corners."""
        x, y, width, height = self.box
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2


@dataclass(frozen=True)
class PlacedSign:
    """A board with words."""

    text: str
    xyxy_px: XyxyPx

    @property
    def box(self) -> Xywh:
        """Return its centre x, centre y, width and height in pixels."""
        return xywh(self.xyxy_px)


@dataclass(frozen=True)
class ClutteredScene:
    """A picture (128, 128, 3) and every object in it, the ones in front last."""

    image: NDArray[np.uint8]
    objects: tuple[PlacedObject, ...]
    setting: str
    sign: PlacedSign | None = None


@dataclass(frozen=True)
class Clutter:
    """What cluttered scenes are made of."""

    vendor_shares: VendorShares = JUDGE_VENDORS
    nouns: tuple[str, ...] = NOUNS
    sign_p: float = _SIGN_P
    tones: bool = True  # whether people may have other tones of skin than a drawing's own
    fonts: tuple[str, ...] = FONTS
    roomy_p: float = 0.0  # share of scenes of a few things, of any shape, most of them larger


def of_world(scene: Scene) -> ClutteredScene:
    """Return a scene of the world with its objects described in the same way."""
    objects = tuple(PlacedObject(o.noun, o.color, o.style, xywh(o.xyxy_px), xywh(o.ink_px)) for o in scene.objects)
    board = PlacedSign(scene.plan.text, scene.board) if scene.plan.text and scene.board else None
    return ClutteredScene(scene.image, objects, scene.plan.setting, board)


def cluttered_scene(rng: Rng, clutter: Clutter = Clutter()) -> ClutteredScene:
    """Draw one to about twelve objects."""
    setting, canvas = _random_ground(rng)
    board = _place_sign(rng, canvas, clutter.fonts) if rng.random() < clutter.sign_p else None
    taken = [board.xyxy_px] if board else []
    roomy = clutter.roomy_p > 0 and rng.random() < clutter.roomy_p
    boxes = [
        box for box in (_roomy_boxes if roomy else _boxes)(rng, taken) if not board or not shared(box, board.xyxy_px)
    ]
    alike = _random_kind(rng, clutter) if rng.random() < _ALIKE_P else None
    objects = list[PlacedObject]()
    for box in boxes:
        kind = alike if alike and rng.random() < _ALIKE_SHARE else _random_kind(rng, clutter)
        objects += _place_object(rng, canvas, box, taken, kind, clutter)
    return ClutteredScene(_bytes(canvas), tuple(objects), setting, board)


def _boxes(rng: Rng, taken: list[XyxyPx]) -> list[XyxyPx]:
    """Draw boxes of up to thirteen things beside those `taken`, to which they are added."""
    boxes = list[XyxyPx]()
    for _ in range(int(rng.integers(1, _MAX_OBJECTS + 1))):
        low, high = _SIZES[int(rng.choice(len(_SIZES), p=_SIZE_SHARES))]
        boxes += spread(rng, 1, low, high, taken)
    return boxes


def _roomy_boxes(rng: Rng, taken: list[XyxyPx]) -> list[XyxyPx]:
    """Draw boxes of a few things in the same way: each side as likely short as long, the fewer the longer."""
    boxes, count = list[XyxyPx](), int(rng.integers(1, _FEW + 1))
    largest = min(LARGEST, int(_FILL * SIDE / math.sqrt(count)))
    for _ in range(_TRIES * count):
        width, height = (int(side) for side in rng.integers(SMALLEST, largest + 1, 2))
        box = at_random(rng, width, height)
        if max(width, height) <= _LONGEST * min(width, height) and all(shared(box, b) <= OVERLAP for b in taken):
            taken.append(box)
            boxes.append(box)
        if len(boxes) == count:
            break
    return boxes


def sign_scene(rng: Rng) -> ClutteredScene:
    """Draw a sign and nothing else, for those who learn to read."""
    setting, canvas = _random_ground(rng)
    board = _place_sign(rng, canvas, FONTS)
    return ClutteredScene(_bytes(canvas), (), setting, board)


def _random_ground(rng: Rng) -> tuple[str, Pixels]:
    setting = pick(rng, SETTING_NAMES)
    return setting, background(setting) * np.float32(rng.uniform(*_BRIGHTNESS))


def _bytes(canvas: Pixels) -> NDArray[np.uint8]:
    return (canvas * 255 + 0.5).clip(0, 255).astype(np.uint8)


def _place_sign(rng: Rng, canvas: Pixels, fonts: tuple[str, ...]) -> PlacedSign:
    words = (
        text(rng) if rng.random() < _WORD_P else "".join(rng.choice(_LETTERS, int(rng.integers(1, MAX_LETTERS + 1))))
    )
    x0, y0, x1, y1 = box = random_board(rng, len(words))
    canvas[y0:y1, x0:x1] = sign(words, font_for(rng, words, fonts), x1 - x0, y1 - y0)
    return PlacedSign(words, box)


def _place_object(
    rng: Rng, canvas: Pixels, box: XyxyPx, taken: list[XyxyPx], kind: "_Kind", clutter: Clutter
) -> list[PlacedObject]:
    """Draw an object in a box, sometimes with another on top of it, which is added to what is `taken`."""
    lower, placed = _drawing(kind, _sides(box)), list[PlacedObject]()
    x0, y0, x1, y1 = box
    if rng.random() < _STACKED_P and y1 - y0 <= y0:
        upper = _drawing(_random_kind(rng, clutter), _sides(box))
        top = y0 + lower.ink_rows[0] - upper.ink_rows[1]
        above = (x0, top, x1, top + y1 - y0)
        if top >= 0 and all(other == box or shared(above, other) <= OVERLAP for other in taken):
            taken.append(above)
            placed.append(upper.paint(canvas, x0, top))
    return [*placed, lower.paint(canvas, x0, y0)]


def _sides(box: XyxyPx) -> tuple[int, int]:
    return box[2] - box[0], box[3] - box[1]


@dataclass(frozen=True)
class _Drawing:
    noun: str
    color: str | None
    style: str | None
    rgb: Pixels
    alpha: Pixels

    def paint(self, canvas: Pixels, x: int, y: int) -> PlacedObject:
        """Draw it with its corner at (x, y)."""
        height, width = self.rgb.shape[:2]
        part = canvas[y : y + height, x : x + width]
        part += self.alpha * (self.rgb - part)
        x0, y0, x1, y1 = ink_of(self.alpha)
        frame, ink = (x, y, x + width, y + height), (x + x0, y + y0, x + x1, y + y1)
        return PlacedObject(self.noun, self.color, self.style, xywh(frame), xywh(ink))

    @property
    def ink_rows(self) -> tuple[int, int]:
        """First row of its ink, and the row after the last."""
        _, first, _, after = ink_of(self.alpha)
        return first, after


@dataclass(frozen=True)
class _Kind:
    """What is drawn, by whom; `name`: the noun, and the tone of skin, if it has one ("hand/dark")."""

    noun: str
    name: str
    color: str | None
    vendor: str


def _random_kind(rng: Rng, clutter: Clutter) -> _Kind:
    noun, vendor = pick(rng, clutter.nouns), str(rng.choice(ALL_VENDORS, p=clutter.vendor_shares))
    color = None if rng.random() < _OWN_COLOR_P else pick(rng, trained_colors(noun))
    toned = clutter.tones and color is None and vendor == "noto" and noun in TONED and rng.random() < _SKIN_TONE_P
    return _Kind(noun, f"{noun}/{pick(rng, TONES)}" if toned else noun, color, vendor)


def _drawing(kind: _Kind, size: tuple[int, int]) -> _Drawing:
    style = kind.vendor if kind.noun in _drawn_by(kind.vendor) else None
    return _Drawing(kind.noun, kind.color, style, *sprite(kind.name, kind.color, size, kind.vendor))


@cache
def _drawn_by(vendor: str) -> frozenset[str]:
    return frozenset(drawn_by(vendor))


@cache
def trained_colors(noun: str) -> tuple[str, ...]:
    """Return the colours in which a noun is not held out."""
    return tuple(color for color in COLORS if not held_out(Plan((Group(noun, 1, color),))))
