"""The loop's verifier of objects: presence, count, colour, relation, comparison, place, setting, style, absence.

All of it follows from what one detector finds. It knows the nouns of the pocket world; what it does not know it leaves
unjudged.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from PIL.Image import Image, Resampling

from scope.models.detector import SIGN, Detection, Detector, look
from scope.nn.weights import load_shipped
from scope.specification import Box, Commitment, Observation, Specification, Type, Verdict, from_pixels
from scope.specification.geometry import PLACES
from scope.verifiers import styles
from scope.verifiers.drawings import looks_drawn
from scope.verifiers.relations import relation_holds
from scope.verifiers.styles import Pixels
from scope.worlds.pocket.catalogue import COLORS, WIDER_OF
from scope.worlds.pocket.drawn import drawn_for
from scope.worlds.pocket.settings import shows


def _is_color(commitment: Commitment) -> bool:
    return commitment.type is Type.ATTRIBUTE and commitment.aspect == "color" and not commitment.denied


def _name(entity: Commitment) -> str | None:
    """Return what the detector calls an entity; None: it does not know it."""
    return SIGN if entity.value == SIGN or entity.type is Type.TEXT else drawn_for(entity)


def _is_place(setting: Commitment) -> bool:
    return bool(setting.targets) and setting.value in PLACES


_NAMED = 3.0  # odds of a noun that the prompt names, against those of one that it does not name, before looking
SIDE = 128  # pixels: what the detector looks at
_NO_STYLE = "nothing is found whose style could be told"

#: Outcome, reason, and the detections that they rest on.
Finding = tuple[Literal["met", "violated"] | None, str, list[Detection]]


class DetectedScene:
    """What was detected in one picture, checked against the commitments of a specification."""

    def __init__(
        self, detections: list[Detection], setting: str, spec: Specification, pixels: Pixels | None = None
    ) -> None:
        """`pixels` (h, w, 3) in [0, 1]: the picture, for those who look at it again; None: nobody may."""
        self.detections, self.setting, self.spec, self.pixels = detections, setting, spec, pixels

    @classmethod
    def imagined(cls, spec: Specification) -> "DetectedScene":
        """Return a scene in which everything that the detector knows of a specification is found."""
        nouns = dict.fromkeys(filter(None, (_name(c) for c in spec.of(Type.PRESENCE, Type.TEXT))))
        scene, box = cls([], "", spec), (32.0, 32.0, 96.0, 96.0)
        asked = {scene._color_of(c.id) for c in spec.of(Type.PRESENCE)}
        colors = [color for color in COLORS if color in asked] or ["red"]
        scene.detections = [Detection(noun, color, 1.0, 1.0, box) for noun in nouns for color in colors]
        return scene

    def check(self, commitment: Commitment) -> Finding:
        """Return the finding about one commitment."""
        match commitment.type:
            case Type.PRESENCE:
                return self._presence(commitment)
            case Type.COUNT:
                return self._count(commitment)
            case Type.ATTRIBUTE:
                return self._color(commitment)
            case Type.RELATION | Type.COMPARISON | Type.PLACE:
                return self._relation(commitment)
            case Type.SETTING:
                return self._relation(commitment) if _is_place(commitment) else self._setting(commitment)
            case Type.STYLE:
                return self._style(commitment)
            case _:
                return self._absence(commitment)

    def detections_of(self, entity_id: str) -> tuple[str | None, list[Detection]]:
        """Return the noun of an entity and its detections; no noun: what is seen does not tell.

        Entities of one noun are told apart by colour, and so is a part of several; one without a colour by its place.
        """
        entity = self.spec[entity_id]
        if entity.part_of is not None:
            return self._of_part(entity)
        noun = _name(entity)
        detections = [d for d in self.detections if d.noun == noun]
        color = self._color_of(entity_id)
        if color and len(self._of_noun(entity)) > 1:
            detections = [d for d in detections if d.color == color]
        return noun, detections

    def _of_part(self, part: Commitment) -> tuple[str | None, list[Detection]]:
        noun, whole = self.detections_of(str(part.part_of))
        places = [str(c.value) for c in self.spec.about(part.id) if c.targets == (part.id,) and c.value in PLACES]
        if color := self._color_of(part.id):
            return noun, [d for d in whole if d.color == color]
        return noun if places else None, [d for d in whole if all(_stands(d, place) for place in places)]

    def _of_noun(self, entity: Commitment) -> list[Commitment]:
        """Return the entities of a noun, this one too, that are no parts of others."""
        return [c for c in self.spec.of(Type.PRESENCE) if _name(c) == _name(entity) and c.part_of is None]

    def _alike(self, entity_id: str) -> list[Commitment]:
        """Return the entities, this one too, that the detector cannot tell apart by noun and colour."""
        entity, color = self.spec[entity_id], self._color_of(entity_id)
        if entity.part_of is not None:
            return [entity]
        same = self._of_noun(entity)
        return [c for c in same if c.id == entity_id or color is None or self._color_of(c.id) == color]

    def _wanted(self, entity: Commitment) -> tuple[int, int | None]:
        """Return how many there may be of an entity: the fewest, and the most (None: any number more)."""
        counts = (c.bounds for c in self.spec.about(entity.id) if c.type is Type.COUNT and not c.denied)
        return next(counts, (1, 1))

    def _color_of(self, entity_id: str) -> str | None:
        colors = (drawn_for(c) for c in self.spec.about(entity_id) if _is_color(c))
        return next(filter(None, colors), None)

    def _unknown(self, entity: Commitment) -> Finding:
        if entity.part_of is not None and _name(entity) is not None:
            return None, f"nothing that is seen tells which {entity.value} of several is meant", []
        return None, f"the detector does not know {entity.value!r}", []

    def _presence(self, c: Commitment) -> Finding:
        noun, detections = self.detections_of(c.id)
        if noun is None or noun == SIGN:  # a sign is there where words can be read
            return self._unknown(c)
        if not detections:
            return "violated", f"no {noun} found", []
        kind, wanted = f" {noun}, the wider word" if str(c.value) in WIDER_OF else "", len(self._alike(c.id))
        if len(detections) < wanted:  # "a corgi and a golden retriever" are two dogs
            return "violated", f"found {len(detections)} of {wanted} that are each a {noun}", detections
        return "met", f"found {len(detections)}{kind}", detections

    def _count(self, c: Commitment) -> Finding:
        noun, detections = self.detections_of(c.targets[0])
        if noun is None:
            return self._unknown(self.spec[c.targets[0]])
        alike = self._alike(c.targets[0])
        bounds = [c.bounds] if len(alike) == 1 else [self._wanted(entity) for entity in alike]
        fewest, most = sum(low for low, _ in bounds), [high for _, high in bounds]
        met = fewest <= len(detections) and (None in most or len(detections) <= sum(filter(None, most)))
        return ("met" if met else "violated"), f"found {len(detections)} of {_bounds_said(fewest, most)}", detections

    def _color(self, c: Commitment) -> Finding:
        noun, detections = self.detections_of(c.targets[0])
        if noun is None:
            return self._unknown(self.spec[c.targets[0]])
        color = drawn_for(c)
        if c.aspect != "color" or color is None:
            return None, f"no verifier judges {c.value!r}", []
        colors = sorted({d.color for d in detections}) or ["nothing"]
        return ("met" if colors == [color] else "violated"), f"it is {', '.join(colors)}", detections

    def _relation(self, c: Commitment) -> Finding:
        entities = [self.detections_of(target) for target in c.targets]
        unknown = next((t for t, (noun, _) in zip(c.targets, entities, strict=True) if noun is None), None)
        if unknown is not None:
            return self._unknown(self.spec[unknown])
        groups = [detections for _, detections in entities]
        everything = [d for group in groups for d in group]
        if not all(groups):
            missing = "one of them is missing" if len(groups) > 1 else f"no {entities[0][0]} found"
            return "violated", missing, everything
        holds = relation_holds(str(c.value), [[d.xyxy_px for d in group] for group in groups], SIDE)
        if holds is None:
            return None, f"no verifier judges {c.value!r}", []
        places = (", ".join(str(_box(d)) for d in group) for group in groups)
        where = "; ".join(f"{noun} at {place}" for (noun, _), place in zip(entities, places, strict=True))
        return ("met" if holds else "violated"), where, everything

    def _setting(self, c: Commitment) -> Finding:
        wanted = drawn_for(c)
        if wanted is None:
            return None, f"the detector does not know the setting {c.value!r}", []
        met = shows(self.setting, wanted)
        return ("met" if met else "violated"), f"the setting looks like {self.setting}", []

    def _style(self, c: Commitment) -> Finding:
        things = [d for d in self.detections if d.noun != SIGN]
        if drawn_for(c) is None:
            return None, f"no verifier judges the style {c.value!r}", []
        if self.pixels is None or not things:
            return None, _NO_STYLE, []
        seen = styles.nearest(styles.distances(self.pixels, things), str(c.value))
        return ("met" if seen == c.value else "violated"), f"it looks {seen or 'as usual'}", things

    def _absence(self, c: Commitment) -> Finding:
        noun = drawn_for(c)
        if noun is None:
            return self._unknown(c)
        matches = [d for d in self.detections if d.noun == noun]
        return ("violated", f"found {len(matches)}", matches) if matches else ("met", f"no {noun} found", [])


class ObjectsVerifier:
    """Runs the detector once a picture and answers for each commitment."""

    name, version = "objects", "9"
    types = frozenset(Type) - {Type.TEXT, Type.CAMERA, Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING}

    def __init__(self, model: Detector, weights: dict[str, str]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.weights = model.to(self.device).eval(), weights

    def handles(self, commitment: Commitment) -> bool:
        """Return whether this is a commitment about objects, the setting or the style."""
        return commitment.type in self.types

    def why_not(self, commitment: Commitment, spec: Specification) -> str:
        """Return why it could not judge a commitment: what it cannot say of a scene in which all is found."""
        outcome, why, _ = DetectedScene.imagined(spec).check(commitment)
        return "" if outcome is not None or why == _NO_STYLE else why

    def why_blind(self, image: Image) -> str:
        """Return why it could only guess about a picture: it has seen drawings alone."""
        return "" if looks_drawn(_small(image)) else "the detector knows drawings, and this looks like a photograph"

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment, on what the detector finds."""
        scene, unable = self.perceive(image, spec), {c.id: self.why_not(c, spec) for c in commitments}
        return [self._verdict(c, *((None, unable[c.id], []) if unable[c.id] else scene.check(c))) for c in commitments]

    @torch.inference_mode()
    def perceive(self, image: Image, spec: Specification) -> DetectedScene:
        """Return what is detected in a picture."""
        pixels = _small(image) / 127.5 - 1
        images = torch.from_numpy(pixels).permute(2, 0, 1)[None].to(self.device)
        named = map(drawn_for, spec.of(Type.PRESENCE))
        detections, setting = look(self.model, images, likely=dict.fromkeys(filter(None, named), _NAMED))
        return DetectedScene(detections, setting, spec, (pixels + 1) / np.float32(2))

    def _verdict(
        self,
        commitment: Commitment,
        outcome: Literal["met", "violated"] | None,
        reason: str,
        detections: list[Detection],
    ) -> Verdict:
        color = drawn_for(commitment) if _is_color(commitment) else None
        evidence = tuple(
            Observation(
                label=f"{d.color} {d.noun}", box=_box(d), score=round(d.score, 3), fits=color in (None, d.color)
            )
            for d in detections
        )
        return Verdict(
            commitment=commitment.id, outcome=outcome, reason=reason, verifier=f"{self.name}@{self.version}",
            score=min((seen.score for seen in evidence if seen.score is not None), default=None), evidence=evidence,
        )  # fmt: skip


def _small(image: Image) -> Pixels:
    """Return a picture as the detector looks at it: (SIDE, SIDE, 3) in [0, 255]."""
    return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Resampling.BOX), np.float32)


def _stands(detection: Detection, place: str) -> bool:
    return bool(relation_holds(place, [[detection.xyxy_px]], SIDE))


def _bounds_said(fewest: int, most: list[int | None]) -> str:
    """Return how many there may be, in words: "2", "2 or more", "0 to 3"."""
    if None in most:
        return f"{fewest} or more"
    highest = sum(filter(None, most))
    return str(fewest) if fewest == highest else f"{fewest} to {highest}"


def _box(detection: Detection) -> Box:
    return from_pixels(detection.xyxy_px, SIDE, SIDE)


def load() -> ObjectsVerifier:
    """Return the verifier with the shipped weights.

    Raises: WeightsError if they are missing or damaged.
    """
    model = Detector()
    return ObjectsVerifier(model, {"detector": load_shipped(model, "detector")})
