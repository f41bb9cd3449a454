"""The loop's verifier of things: presence, count, colour, relation, setting and absence, by one detector.

It knows the nouns of the pocket world; what it does not know it leaves unjudged.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch
from PIL.Image import Image

from scope.models.detector import Detection, Detector, detect
from scope.nn.weights import load_shipped
from scope.specification import Commitment, Specification, Type, Verdict
from scope.verifiers.relations import stands
from scope.worlds.pocket.catalogue import COLORS, NOUN_OF, SETTING_NAMES

Judgement = tuple[Literal["met", "violated"] | None, str, list[Detection]]


def noun_of(word: str | int) -> str | None:
    """Return the world's noun for a word, or None."""
    return NOUN_OF.get(str(word))


class Evidence:
    """What was found in one picture, asked in terms of a specification."""

    def __init__(self, found: list[Detection], setting: str, spec: Specification) -> None:
        self.found, self.setting, self.spec = found, setting, spec

    def judge(self, commitment: Commitment) -> Judgement:
        """Return (outcome, reason, the detections that it rests on)."""
        match commitment.type:
            case Type.PRESENCE:
                return self._presence(commitment)
            case Type.COUNT:
                return self._count(commitment)
            case Type.ATTRIBUTE:
                return self._color(commitment)
            case Type.RELATION:
                return self._relation(commitment)
            case Type.SETTING:
                return self._setting(commitment)
            case _:
                return self._absence(commitment)

    def things(self, entity_id: str) -> tuple[str | None, list[Detection]]:
        """Return the noun of an entity and its detections; entities of one noun are told apart by colour."""
        entity = self.spec[entity_id]
        noun = noun_of(entity.value)
        found = [d for d in self.found if d.noun == noun]
        siblings = [c for c in self.spec.of(Type.PRESENCE) if noun_of(c.value) == noun and c.id != entity_id]
        color = self._asked_color(entity_id)
        if siblings and color:
            found = [d for d in found if d.color == color]
        return noun, found

    def _asked_color(self, entity_id: str) -> str | None:
        colors = [c.value for c in self.spec.about(entity_id) if c.type is Type.ATTRIBUTE and c.aspect == "color"]
        return str(colors[0]) if colors else None

    def _unknown(self, word: str | int) -> Judgement:
        return None, f"the detector does not know {word!r}", []

    def _presence(self, c: Commitment) -> Judgement:
        noun, found = self.things(c.id)
        if noun is None:
            return self._unknown(c.value)
        return ("met", f"found {len(found)}", found) if found else ("violated", f"no {noun} found", [])

    def _count(self, c: Commitment) -> Judgement:
        noun, found = self.things(c.targets[0])
        if noun is None:
            return self._unknown(self.spec[c.targets[0]].value)
        return ("met" if len(found) == c.value else "violated"), f"found {len(found)} of {c.value}", found

    def _color(self, c: Commitment) -> Judgement:
        noun, found = self.things(c.targets[0])
        if noun is None:
            return self._unknown(self.spec[c.targets[0]].value)
        if c.aspect != "color" or c.value not in COLORS:
            return None, f"no verifier judges {c.value!r}", []
        seen = sorted({d.color for d in found}) or ["nothing"]
        return ("met" if seen == [c.value] else "violated"), f"it is {', '.join(seen)}", found

    def _relation(self, c: Commitment) -> Judgement:
        things = [self.things(target) for target in c.targets]
        unknown = next((t for t, (noun, _) in zip(c.targets, things, strict=True) if noun is None), None)
        if unknown is not None:
            return self._unknown(self.spec[unknown].value)
        groups = [found for _, found in things]
        everything = [d for found in groups for d in found]
        if not all(groups):
            return "violated", "one of them is missing", everything
        standing = stands(str(c.value), [[d.box for d in found] for found in groups])
        if standing is None:
            return None, f"no verifier judges {c.value!r}", []
        places = (", ".join(f"{x:.0f},{y:.0f}" for x, y in (d.center for d in found)) for found in groups)
        where = "; ".join(f"{noun} at {place}" for (noun, _), place in zip(things, places, strict=True))
        return ("met" if standing else "violated"), where, everything

    def _setting(self, c: Commitment) -> Judgement:
        if c.value not in SETTING_NAMES:
            return None, f"the detector does not know the setting {c.value!r}", []
        return ("met" if self.setting == c.value else "violated"), f"the setting looks like {self.setting}", []

    def _absence(self, c: Commitment) -> Judgement:
        noun = noun_of(c.value)
        if noun is None:
            return self._unknown(c.value)
        found = [d for d in self.found if d.noun == noun]
        return ("violated", f"found {len(found)}", found) if found else ("met", f"no {noun} found", [])


class ObjectsVerifier:
    """Runs the detector once a picture and answers for each commitment."""

    name, version = "objects", "2"
    types = frozenset({Type.PRESENCE, Type.COUNT, Type.ATTRIBUTE, Type.RELATION, Type.SETTING, Type.ABSENCE})

    def __init__(self, model: Detector, weights: dict[str, str]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.weights = model.to(self.device).eval(), weights

    def handles(self, commitment: Commitment) -> bool:
        """Return whether this is a commitment about things or the setting."""
        return commitment.type in self.types

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Judge each commitment on what the detector finds."""
        evidence = self.look(image, spec)
        return [self._verdict(c, *evidence.judge(c)) for c in commitments]

    @torch.inference_mode()
    def look(self, image: Image, spec: Specification) -> Evidence:
        """Find what is in a picture."""
        pixels = np.asarray(image.convert("RGB").resize((128, 128)), np.float32) / 127.5 - 1
        maps = self.model(torch.from_numpy(pixels).permute(2, 0, 1)[None].to(self.device))
        return Evidence(detect(maps, 0), SETTING_NAMES[int(maps.setting[0].argmax())], spec)

    def _verdict(
        self, commitment: Commitment, outcome: Literal["met", "violated"] | None, reason: str, found: list[Detection]
    ) -> Verdict:
        evidence: dict[str, Any] = {
            "boxes": [[round(v, 1) for v in d.box] for d in found],
            "labels": [f"{d.color} {d.noun} {d.score:.2f}" for d in found],
        }
        return Verdict(
            commitment=commitment.id, outcome=outcome, reason=reason, verifier=f"{self.name}@{self.version}",
            score=min((round(d.score, 3) for d in found), default=None), evidence=evidence if found else {},
        )  # fmt: skip


def load() -> ObjectsVerifier:
    """Return the verifier with the shipped weights.

    Raises: WeightsError if they are missing or damaged.
    """
    model = Detector()
    return ObjectsVerifier(model, {"detector": load_shipped(model, "detector")})
