"""Parts that pass every check, and parts that fail one each. They lie in a module so that other processes find them.

The name of a class says the check that it fails, then what it does.
"""

import ctypes
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Any

from PIL import Image

from scope.protocols import OnStep, Picture, Toolbox, ignore_steps
from scope.specification import (
    Answer,
    Cause,
    Commitment,
    Event,
    Kind,
    Note,
    Request,
    Specification,
    Status,
    Type,
    Verdict,
    ground,
)

# -- skills --------------------------------------------------------------------------------------


class GoodSkill:
    """Grounds what is open."""

    name = "good"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        return bool(spec.where(Status.OPEN, kind=Kind.UNKNOWN))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        for unknown in spec.where(Status.OPEN, kind=Kind.UNKNOWN):
            spec = ground(spec, unknown.id, Answer(words=self.words()), Cause.skill(self.name, self.version))
        return spec

    def words(self) -> str:
        return "something"


class OfOddThings(GoodSkill):
    """Good, but the kit has nothing for it to do."""

    def needed(self, spec: Specification) -> bool:
        return any(unknown.value == "odd" for unknown in spec.where(Status.OPEN))


class InterfaceNoVersion(GoodSkill):
    version = None  # type: ignore[assignment]


class InterfaceNameWithAt(GoodSkill):
    name = "good@home"


class InterfaceRunTakesNoTools(GoodSkill):
    def run(self, spec: Specification) -> Specification:  # type: ignore[override]
        return spec


class PureCounts(GoodSkill):
    def __init__(self) -> None:
        self.calls = count()

    def needed(self, spec: Specification) -> bool:
        return next(self.calls) % 2 == 0


class PureGivesAList(GoodSkill):
    def needed(self, spec: Specification) -> Any:
        return spec.where(Status.OPEN)


class PureSpoils(GoodSkill):
    def needed(self, spec: Specification) -> bool:
        for event in spec.events:
            event.__dict__["commitment"] = "seen"
        return super().needed(spec)


class ExercisedNever(GoodSkill):
    def needed(self, spec: Specification) -> bool:
        return False


class DeterministicRolls(GoodSkill):
    def words(self) -> str:
        return str(random.random())


class IdempotentNever(GoodSkill):
    def needed(self, spec: Specification) -> bool:
        return bool(spec.of(Type.SEMANTIC_REASONING))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        for unknown in spec.of(Type.SEMANTIC_REASONING):
            if spec.statuses()[unknown.id] is Status.OPEN:
                return ground(spec, unknown.id, Answer(words="x"), Cause.skill("good", "1"))
            if spec.statuses()[unknown.id] is Status.GROUNDED:
                return spec.move(unknown.id, Status.OPEN, Cause.skill("good", "1"))
        return spec


class LedgerDeclares(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        more = Commitment(id="x1", kind=Kind.ENTITY, type=Type.PRESENCE, claim="an advert", value="advert")
        return spec.declare(more, Cause.skill("good", "1"))


class LedgerJudges(GoodSkill):
    def needed(self, spec: Specification) -> bool:
        return bool(spec.where(Status.VIOLATED))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        for broken in spec.where(Status.VIOLATED):
            spec = spec.move(broken.id, Status.MET, Cause.skill("good", "1"), draft="d1")
        return spec


class LedgerWaives(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        for unknown in spec.where(Status.OPEN):
            spec = spec.move(unknown.id, Status.WAIVED, Cause.skill("good", "1"))
        return spec


class LedgerReopensWhatIsPlain(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        return spec.move("e1", Status.OPEN, Cause.skill("good", "1"))


class LedgerInAnotherName(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        for unknown in spec.where(Status.OPEN):
            spec = ground(spec, unknown.id, Answer(words="x"), Cause.skill("reason", "1"))
        return spec


class LedgerAnswersFreely(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        for unknown in spec.where(Status.OPEN):
            spec = spec.move(unknown.id, Status.GROUNDED, Cause.skill("good", "1"), evidence=Note(note="forty-two"))
        return spec


class LedgerForgets(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        return Specification(prompt=spec.prompt, events=spec.events[:1])


class LedgerRewordsThePrompt(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        return Specification(prompt="an advert", events=spec.events)


class LedgerTakesAnEdgeThatIsNotThere(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        change = {"sequence": len(spec.events), "commitment": "e1", "before": Status.MET, "after": Status.OPEN}
        return Specification(prompt=spec.prompt, events=(*spec.events, Event(cause=Cause.skill("good", "1"), **change)))


class LedgerGivesNothing(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Any:
        return None


class UntouchedSpoils(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        after = super().run(spec, tools)
        for event in spec.events:
            event.__dict__["commitment"] = "seen"
        return after


class HostileExpectsAscii(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        spec.prompt.encode("ascii")
        return super().run(spec, tools)


class InterruptibleSwallows(GoodSkill):
    def words(self) -> str:
        with suppress(BaseException):
            return "something".upper()
        return "something"


class InterruptibleTranslates(GoodSkill):
    def words(self) -> str:
        try:
            return "something".upper()
        except BaseException as error:
            raise ValueError("the words are not there") from error


class TerminatesNever(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        time.sleep(3600)
        return spec


class TerminatesInSegfault(GoodSkill):
    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        ctypes.string_at(0)
        return spec


class InterfaceLeavesPython(GoodSkill):
    @property
    def name(self) -> str:  # type: ignore[override]
        raise SystemExit("no name")


# -- generators ----------------------------------------------------------------------------------


class GoodGenerator:
    """A grey picture, as bright as the seed says."""

    name = "good"
    version = "1"
    reads: frozenset[str] = frozenset()
    weights: dict[str, str] = {}
    vocabulary = None

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        return [self.picture(request, on_step) for request in requests]

    def picture(self, request: Request, on_step: OnStep) -> Picture:
        on_step(1, 1)
        return Picture(Image.new("L", (4, 4), request.seed % 256))


class GInterfaceWeights(GoodGenerator):
    weights = {"weights.bin": "the best"}


class GInterfaceVocabulary(GoodGenerator):
    vocabulary = ["apple"]  # type: ignore[assignment]


class GPicturesOnlyOne(GoodGenerator):
    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        return super().generate(requests, on_step)[:1]


class GPicturesAreBytes(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        return Picture(b"PNG")  # type: ignore[arg-type]


class GPicturesAreNoPictures(GoodGenerator):
    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> Any:
        return [Image.new("L", (4, 4)) for _ in requests]


class GPicturesWithInfiniteLikelihood(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        return Picture(super().picture(request, on_step).image, float("-inf"))


class GDeterministicRolls(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        return Picture(Image.frombytes("L", (4, 4), random.randbytes(16)))


class GIndependentIsDifferent(GoodGenerator):
    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        return [Picture(Image.new("L", (4, 4), len(requests))) for _ in requests]


class GProgressBackwards(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        on_step(2, 2)
        on_step(1, 2)
        return super().picture(request, ignore_steps)


class GUntouchedSpoils(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        request.__dict__["seed"] = 0
        return super().picture(request, on_step)


class GHostileWantsFewWords(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        assert len(request.text.split()) < 77
        return super().picture(request, on_step)


class GInterruptibleSwallows(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        try:
            return super().picture(request, on_step)
        except:  # noqa: E722
            return Picture(Image.new("L", (4, 4)))


class GTerminatesNever(GoodGenerator):
    def picture(self, request: Request, on_step: OnStep) -> Picture:
        while True:
            pass


# -- verifiers -----------------------------------------------------------------------------------


class GoodVerifier:
    """Finds every colour, and nothing else."""

    name = "good"
    version = "1"

    def handles(self, commitment: Commitment) -> bool:
        return commitment.type is Type.ATTRIBUTE

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        return [self.verdict(image, c, "met" if self.handles(c) else None) for c in commitments]

    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        return Verdict(commitment=commitment.id, outcome=outcome, reason="it says so", verifier="good@1")


class VInterfaceSpaces(GoodVerifier):
    version = "one point oh"


class VPureCounts(GoodVerifier):
    def __init__(self) -> None:
        self.calls = count()

    def handles(self, commitment: Commitment) -> bool:
        return next(self.calls) % 2 == 0


class VPureSaysWhich(GoodVerifier):
    def handles(self, commitment: Commitment) -> Any:
        return commitment.type.value if super().handles(commitment) else None


class VExercisedNever(GoodVerifier):
    def handles(self, commitment: Commitment) -> bool:
        return False


class VAnswersOfAnother(GoodVerifier):
    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        return Verdict(commitment="e9", outcome=outcome, reason="it says so", verifier="good@1")


class VAnswersSorted(GoodVerifier):
    def handles(self, commitment: Commitment) -> bool:
        return commitment.kind is not Kind.UNKNOWN

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        return sorted(super().check(image, commitments, spec), key=lambda v: v.commitment)


class VAnswersYes(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> Any:
        return ["yes" for _ in commitments]


class VSignedByAnother(GoodVerifier):
    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        return Verdict(commitment=commitment.id, outcome=outcome, reason="it says so", verifier="objects@1")


class VSignedWithoutReason(GoodVerifier):
    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        return Verdict(commitment=commitment.id, outcome=outcome, reason="", verifier="good@1")


class VSignedWithAnObject(GoodVerifier):
    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        return super().verdict(image, commitment, outcome).model_copy(update={"details": {"x": object()}})


class VAbstainsNot(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        return [self.verdict(image, c, "met") for c in commitments]


class VDeterministicRolls(GoodVerifier):
    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        return super().verdict(image, commitment, outcome).model_copy(update={"score": random.random()})


class VUntouchedDraws(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        image.putpixel((0, 0), (255, 0, 0))
        return super().check(image, commitments, spec)


class VUntouchedSpoils(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        for event in spec.events:
            event.__dict__["commitment"] = "seen"
        return super().check(image, commitments, spec)


class VHostileWantsWords(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        assert all(str(c.value).isprintable() for c in commitments)
        return super().check(image, commitments, spec)


class VHostileWantsPixels(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        image.getpixel((10, 10))
        return super().check(image, commitments, spec)


class VInterruptibleSwallows(GoodVerifier):
    def verdict(self, image: Image.Image, commitment: Commitment, outcome: Any) -> Verdict:
        with suppress(BaseException):
            outcome = outcome or None
        return super().verdict(image, commitment, outcome)


class VTerminatesNever(GoodVerifier):
    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        time.sleep(3600)
        return []


def make_good_skill() -> GoodSkill:
    """Return a skill, as a factory that an entry point names."""
    return GoodSkill()


class Neither:
    """No part at all."""


class Both(GoodSkill):
    """Two parts at once."""

    def check(self) -> None:
        pass
