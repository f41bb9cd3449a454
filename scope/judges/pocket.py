"""The judge of the benchmarks: verdicts on commitments, by a detector (networks.py) and an OCR (ocr.py) of its own.

Nothing is trained, tuned or selected on its verdicts, and nothing of the loop imports it: the layers of imports hold
that. It shares no weights, architecture or scenes with the loop's verifiers, and no lines with their rules.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from PIL.Image import Image, Resampling
from torch import Tensor

from scope.judges.networks import BACKGROUND, TwoStageDetector, detect_boxes, roi_crop
from scope.judges.ocr import normalise, read_words
from scope.nn.boxes import xywh, xyxy
from scope.nn.weights import load_shipped
from scope.specification import Box, Commitment, Specification, Type, Verdict, from_pixels, geometry
from scope.worlds.pocket.catalogue import ALL_VENDORS, COLOR_NAMES, NOUNS, RELATIONS, SETTING_NAMES, STYLES, noun_of
from scope.worlds.pocket.drawn import drawn_for
from scope.worlds.pocket.framing import frame_of
from scope.worlds.pocket.settings import shows

SIDE = 128  # pixels to which a picture is brought
ASKED = 3.0  # odds of a noun that a prompt names, against those of one that it does not name, before looking
_TOUCHING = 0.35  # of a height: most that may lie between the boxes of two objects, one on top of the other
_SIGN = "sign"


@dataclass(frozen=True)
class Detection:
    """One object that was found. `style` are its log-probabilities of `ALL_VENDORS`."""

    noun: str
    color: str
    score: float  # probability that it is this noun
    x: float  # centre of its frame, in pixels of a 128-px picture
    y: float
    width: float
    height: float
    style: tuple[float, ...]

    @property
    def xyxy_px(self) -> tuple[float, float, float, float]:
        """Return the box (x0, y0, x1, y1)."""
        x, y = self.width / 2, self.height / 2
        return self.x - x, self.y - y, self.x + x, self.y + y

    @property
    def box(self) -> Box:
        """Return the same box in thousandths."""
        return from_pixels(self.xyxy_px, SIDE, SIDE)


class DetectedScene:
    """What is detected in one picture. Words are read when they are first needed."""

    def __init__(self, detections: tuple[Detection, ...], setting: str, image: Image) -> None:
        self.detections, self.setting, self._image = detections, setting, image

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The texts that are read in it, normalised."""
        return read_words(self._image)

    @property
    def style(self) -> str | None:
        """The vendor that is likeliest for all objects together; None: there are none."""
        if not self.detections:
            return None
        return ALL_VENDORS[int(np.sum([d.style for d in self.detections], 0).argmax())]

    def of_noun(self, noun: str) -> list[Detection]:
        """Return the detections of a noun."""
        return [d for d in self.detections if d.noun == noun]


class Undecided(Exception):
    """The judge cannot say; its message is why."""


# -- rules: (scene, commitment, specification) -> (it holds, why) ----------------------------------

Finding = tuple[bool, str]


def detections_of(scene: DetectedScene, entity_id: str, spec: Specification) -> list[Detection]:
    """Return the detections of an entity. Entities of one noun, and parts of one, are told apart by their colours.

    A part without a colour is told apart by its place in the picture.

    Raises: Undecided if the noun is none of the world's, or nothing tells which of several are meant.
    """
    entity, color = spec[entity_id], _color_of(entity_id, spec)
    if entity.part_of is None:
        found = scene.of_noun(_noun(entity.value))
        return [d for d in found if len(_of_noun(entity_id, spec)) == 1 or color in (None, d.color)]
    places = [str(c.value) for c in spec.about(entity_id) if c.targets == (entity_id,) and c.value in geometry.PLACES]
    if color is None and not places:
        raise Undecided(f"nothing that it sees tells which {entity.value} of several is meant")
    whole = detections_of(scene, entity.part_of, spec)
    if color is not None:
        return [d for d in whole if d.color == color]
    return [d for d in whole if all(geometry.holds(place, [d.box]) for place in places)]


def alike(entity_id: str, spec: Specification) -> list[Commitment]:
    """Return the entities, this one too, that noun and colour do not tell apart: "a corgi and a golden retriever"."""
    color = _color_of(entity_id, spec)
    return [c for c in _of_noun(entity_id, spec) if color is None or _color_of(c.id, spec) == color]


def _of_noun(entity_id: str, spec: Specification) -> list[Commitment]:
    """Return the entities of a noun that are no parts of others; of a part itself alone."""
    if spec[entity_id].part_of is not None:
        return [spec[entity_id]]
    noun = _noun(spec[entity_id].value)
    return [c for c in spec.of(Type.PRESENCE) if noun_of(str(c.value)) == noun and c.part_of is None]


def _color_of(entity_id: str, spec: Specification) -> str | None:
    colors = (drawn_for(c) for c in spec.about(entity_id) if c.type is Type.ATTRIBUTE and not c.denied)
    return next(filter(None, colors), None)


def _asked(entity_id: str, spec: Specification) -> tuple[int, int | None]:
    counts = (c.bounds for c in spec.about(entity_id) if c.type is Type.COUNT and not c.denied)
    return next(counts, (1, 1))


def _noun(word: str | int) -> str:
    noun = noun_of(str(word))
    if noun is None:
        raise Undecided(f"it does not know {word!r}")
    return noun


def nouns_of(spec: Specification) -> frozenset[str]:
    """Return the nouns of the world that a specification names as being there."""
    return frozenset(noun for c in spec.of(Type.PRESENCE) if (noun := noun_of(str(c.value))))


def presence(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """There is at least one, and one for each entity that looks the same. A sign is where words can be read."""
    if c.value == _SIGN:
        return bool(scene.words), f"reads {', '.join(scene.words) or 'nothing'}"
    n = len(detections_of(scene, c.id, spec))
    return n >= len(alike(c.id, spec)), f"sees {n}"


def count(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """There are as many as it allows, of all entities that look the same together."""
    n, same = len(detections_of(scene, c.targets[0], spec)), alike(c.targets[0], spec)
    if len(same) == 1:
        return c.allows(n), f"sees {n}"
    asked = [_asked(entity.id, spec) for entity in same]
    most = sum(n if high is None else high for _, high in asked)
    return sum(low for low, _ in asked) <= n <= most, f"sees {n}"


def attribute(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """All of them have this colour, and there are some."""
    color = drawn_for(c)
    if color is None:
        raise Undecided(f"it judges no {c.value!r}")
    colors = {d.color for d in detections_of(scene, c.targets[0], spec)}
    return colors == {color}, f"sees {', '.join(sorted(colors)) or 'none'}"


def relation(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """It holds of all subjects and all others, by their centres; what these do not tell, by their boxes."""
    by_centres = c.value in RELATIONS and len(c.targets) > 1
    if not by_centres and geometry.canonical(str(c.value)) is None:
        raise Undecided(f"it judges no {c.value!r}")
    subjects, *others = (detections_of(scene, target, spec) for target in c.targets)
    if not subjects or not all(others):
        return False, "one of them is missing"
    objects = [d for group in others for d in group]
    places = "; ".join(f"{d.noun} at {d.x:.0f}, {d.y:.0f}" for d in subjects + objects)
    if by_centres:
        return _relation_holds(str(c.value), subjects, objects), places
    holds = geometry.holds(str(c.value), *([d.box for d in group] for group in (subjects, *others)))
    if holds is None:
        raise Undecided(f"it judges no {c.value!r}")
    return holds, places


def where(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """It is the setting, or where in the picture something stands."""
    return relation(scene, c, spec) if c.targets else setting(scene, c, spec)


def _relation_holds(relation: str, subjects: list[Detection], others: list[Detection]) -> bool:
    match relation:
        case "left of":
            return max(s.x for s in subjects) < min(o.x for o in others)
        case "right of":
            return min(s.x for s in subjects) > max(o.x for o in others)
        case "above":
            return max(s.y for s in subjects) < min(o.y for o in others)
        case "below":
            return min(s.y for s in subjects) > max(o.y for o in others)
        case "between":
            return len(subjects) == 1 and len(others) == 2 and _between(subjects[0], *sorted(others, key=lambda o: o.x))
        case _:
            return len(subjects) == len(others) == 1 and _on_top(subjects[0], others[0])


def _between(middle: Detection, left: Detection, right: Detection) -> bool:
    level = all(abs(middle.y - other.y) < (middle.height + other.height) / 2 for other in (left, right))
    return level and left.x < middle.x < right.x


def _on_top(upper: Detection, lower: Detection) -> bool:
    gap = lower.xyxy_px[1] - upper.xyxy_px[3]
    shared = min(upper.xyxy_px[2], lower.xyxy_px[2]) - max(upper.xyxy_px[0], lower.xyxy_px[0])
    touching = gap < _TOUCHING * min(upper.height, lower.height)
    return upper.y < lower.y and touching and 2 * shared > min(upper.width, lower.width)


def setting(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """It is the setting."""
    wanted = drawn_for(c)
    if wanted is None:
        raise Undecided(f"it knows no setting {c.value!r}")
    return shows(scene.setting, wanted), f"the setting looks like {scene.setting}"


def style(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """Its objects, taken together, are most likely drawn so."""
    vendors = {style.name: vendor for vendor, style in STYLES.items()}
    if c.value not in vendors:
        raise Undecided(f"it knows no style {c.value!r}")
    return scene.style == vendors[str(c.value)], f"looks like {scene.style}"


def absence(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """There is none."""
    n = len(scene.of_noun(_noun(c.value)))
    return n == 0, f"sees {n}"


def text(scene: DetectedScene, c: Commitment, spec: Specification) -> Finding:
    """It is read, letter for letter, on one sign or on all together."""
    texts = (*scene.words, "".join(scene.words))
    return normalise(str(c.value)) in texts, f"reads {', '.join(scene.words) or 'nothing'}"


RULES: dict[Type, Callable[[DetectedScene, Commitment, Specification], Finding]] = {
    Type.PRESENCE: presence, Type.COUNT: count, Type.ATTRIBUTE: attribute, Type.RELATION: relation,
    Type.PLACE: relation, Type.COMPARISON: relation, Type.SETTING: where, Type.STYLE: style, Type.ABSENCE: absence,
    Type.TEXT: text,
}  # fmt: skip


# -- the judge -----------------------------------------------------------------------------------


class Judge:
    """Detects what is in a picture once and answers for each commitment. A Verifier, but none that a loop can load."""

    name, version = "judge", "7"

    def __init__(self, networks: TwoStageDetector, weights: dict[str, str]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.networks, self.weights = networks.to(self.device).eval(), weights

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it has a rule for this kind of commitment."""
        return commitment.type in RULES

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment, in order; None where it cannot say.

        Raises: ScopeError if a commitment is about words and Tesseract is not installed.
        """
        scene = self.perceive(image, nouns_of(spec))
        return [self._verdict(scene, c, spec) for c in commitments]

    @torch.inference_mode()
    def perceive(self, image: Image, asked: Collection[str] = ()) -> DetectedScene:
        """Return what is detected in a picture of which these nouns were `asked`."""
        pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Resampling.BOX), np.float32) / 127.5 - 1
        images = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(self.device)
        output = self.networks.detector(images)
        boxes = detect_boxes(output, 0)
        setting = SETTING_NAMES[int(output.setting[0].argmax())]
        return DetectedScene(tuple(self._classify(images, boxes, asked)) if len(boxes) else (), setting, image)

    def _classify(self, images: Tensor, boxes: Tensor, asked: Collection[str]) -> Iterator[Detection]:
        """Yield what stands in boxes (n, views, 4) of one picture (1, 3, 128, 128), but for the background.

        What is said of the views of an object is averaged. Of nouns that look alike, one that was asked is likelier.
        """
        n, views, _ = boxes.shape
        crops = roi_crop(images, torch.zeros(n * views, dtype=torch.long, device=self.device), boxes.flatten(0, 1))
        output = self.networks.classifier(crops)
        chances = (logits.softmax(1).view(n, views, -1).mean(1) for logits in (output.noun, output.color, output.style))
        nouns, colors, styles = chances
        nouns = nouns * torch.tensor([ASKED if noun in asked else 1.0 for noun in (*NOUNS, "")], device=self.device)
        nouns = nouns / nouns.sum(1, keepdim=True)
        for i, noun in enumerate(nouns.argmax(1).tolist()):
            if noun != BACKGROUND:
                color, style = COLOR_NAMES[int(colors[i].argmax())], tuple(styles[i].log().tolist())
                vendor = ALL_VENDORS[int(styles[i].argmax())]
                frame = frame_of(xyxy(tuple(boxes[i, 0].tolist())), NOUNS[noun], (vendor,))
                yield Detection(NOUNS[noun], color, float(nouns[i, noun]), *xywh(frame), style)

    def _verdict(self, scene: DetectedScene, commitment: Commitment, spec: Specification) -> Verdict:
        outcome: Literal["met", "violated"] | None = None
        reason = "it has no rule for this"
        if self.handles(commitment):
            try:
                holds, reason = RULES[commitment.type](scene, commitment, spec)
                outcome = "met" if holds else "violated"
            except Undecided as why:
                reason = str(why)
        name = f"{self.name}@{self.version}"
        return Verdict(commitment=commitment.id, outcome=outcome, reason=reason, verifier=name)


def load() -> Judge:
    """Return the judge with the shipped weights.

    Raises: WeightsError if they are missing or damaged.
    """
    networks = TwoStageDetector()
    return Judge(networks, {"judge": load_shipped(networks, "judge")})
