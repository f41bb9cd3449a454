"""Parts that do what they may not: the run says in one line which it was, and is never taken for damaged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from prompts import PROMPT, start
from pydantic import ValidationError

from scope.engine import execution
from scope.errors import PluginError, ScopeError
from scope.protocols import OnStep, Picture, ignore_steps
from scope.specification import (
    Box,
    Cause,
    Commitment,
    Note,
    Region,
    Request,
    Specification,
    Status,
    Verdict,
    from_pixels,
)
from scope.testing import FakeGenerator, FakeVerifier, fake_toolbox

pytestmark = pytest.mark.usefixtures("home")


def run(*verifiers: Any, options: dict[str, Any] | None = None, prompt: str = PROMPT, **parts: Any) -> Any:
    return execution.generate(
        start(prompt, **{"drafts": 1, "max_rounds": 0} | (options or {})), fake_toolbox(*verifiers, **parts)
    )


def fault_of(**parts: Any) -> str:
    with pytest.raises(ScopeError) as caught:
        run(**parts)
    message = str(caught.value)
    assert "damaged" not in message
    assert "\n" not in message
    return message


# -- generators ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "value"),
    [
        *(("batch", value) for value in (0, -1, "3", 2.5, None, True)),
        *(("parallel", value) for value in (0, "x")),
        *(("ceiling", value) for value in (-1.0, float("nan"), "free")),
    ],
)
def test_limits_that_cannot_be_meant_are_named(limit: str, value: object) -> None:
    generator = FakeGenerator()
    setattr(generator, limit, value)
    assert f"fake@1: {limit} is {value!r}" in fault_of(generator=generator)


@pytest.mark.parametrize("reads", [{"foo", "regions"}, "regions", None, ["regions"]])
def test_reads_is_a_set_of_known_names(reads: Any) -> None:
    generator = FakeGenerator(reads=reads)
    with pytest.raises(PluginError, match="fake@1: reads is"):
        run(generator=generator)


class Gives(FakeGenerator):
    """A generator that gives what it was told to, or raises it."""

    def __init__(self, gift: Any) -> None:
        super().__init__()
        self.gift = gift

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> Any:
        if isinstance(self.gift, BaseException):
            raise self.gift
        return self.gift(super().generate(requests, on_step)) if callable(self.gift) else self.gift


@pytest.mark.parametrize(
    ("gift", "why"),
    [
        (None, "gave None, not a list of Pictures"),
        (["a.png"], "not a list of Pictures"),
        ([], "gave 0 pictures for 1 requests"),
        (lambda made: made * 2, "gave 2 pictures for 1 requests"),
        (lambda made: [Picture(image="a.png")], "holds 'a.png', not an image"),  # type: ignore[arg-type]
        (lambda made: [replace(made[0], cost=-5.0)], "costs -5.0"),
        (lambda made: [replace(made[0], cost=float("nan"))], "costs nan"),
        (RuntimeError("two\nlines"), "failed: RuntimeError: two lines"),
        (MemoryError(), "failed: MemoryError"),
        (SystemExit(3), "failed: SystemExit: 3"),
    ],
)
def test_what_a_generator_does_wrong_names_it_and_the_way_on(gift: Any, why: str) -> None:
    message = fault_of(generator=Gives(gift))
    assert message.startswith("fake@1 ")
    assert why in message
    assert "scope resume" in message


def test_a_generator_that_could_also_edit_still_draws() -> None:
    class Both(FakeGenerator):
        def handles(self, commitment: Commitment) -> bool:
            return True

        def edit(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
            raise AssertionError("nothing is to be edited")

    assert run(generator=Both()).exit == 0


# -- skills --------------------------------------------------------------------------------------


class Restless:
    """A skill that always has something more to note."""

    version = "1"

    def __init__(self, name: str) -> None:
        self.name = name

    def needed(self, spec: Specification) -> bool:
        return bool(spec.where(Status.OPEN))

    def run(self, spec: Specification, tools: object) -> Specification:
        for unknown in spec.where(Status.OPEN):
            spec = spec.move(unknown.id, Status.OPEN, Cause.skill(self.name, "1"), evidence=Note(note="again"))
        return spec


@pytest.mark.parametrize("count", [1, 8])
def test_skills_that_never_settle_do_not_end_a_run(count: int) -> None:
    skills = tuple(Restless(f"restless{number}") for number in range(count))
    assert len(run(prompt="1 apple ?odd", skills=skills).drafts) == 1


def test_a_skill_that_cannot_say_whether_it_is_needed_is_no_damaged_run() -> None:
    class Unsure(Restless):
        def needed(self, spec: Specification) -> bool:
            raise ValueError("not sure")

    assert "ground failed: ValueError: not sure" in fault_of(skills=(Unsure("unsure"),))


# -- verifiers -----------------------------------------------------------------------------------


def test_a_verifier_that_cannot_say_what_it_handles_could_not_say() -> None:
    class Unsure(FakeVerifier):
        def handles(self, commitment: Commitment) -> bool:
            raise RuntimeError("boom")

    outcome = run(Unsure(), options={"max_rounds": 0})
    assert set(outcome.spec.statuses().values()) == {Status.UNJUDGED}
    assert run(Unsure(), FakeVerifier()).exit == 0


def test_a_verdict_is_in_the_name_of_who_gave_it() -> None:
    class Forger(FakeVerifier):
        def check(self, *given: Any) -> list[Verdict]:
            return [v.model_copy(update={"verifier": "objects@2"}) for v in super().check(*given)]

    outcome = run(Forger())
    assert {v.verifier for verdicts in outcome.verdicts.values() for v in verdicts} == {"fake@1"}


def test_what_is_blocked_is_not_judged() -> None:
    with pytest.raises(ValidationError, match="blocked by e1, so it is not met"):
        Verdict(commitment="c1", outcome="met", reason="seen", verifier="v@1", blocked_by="e1")


# -- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", [{"steps": 0}, {"steps": -3}, {"cfg_scale": float("nan")}, {"seed": -1}, {"width": 0}]
)
def test_a_request_that_cannot_be_drawn_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Request(text="a red apple", **field)


def test_two_regions_have_two_names() -> None:
    region = Region(id="e1#1", commitments=("e1",), phrase="apple", box=Box.of(0, 0, 10, 10))
    with pytest.raises(ValidationError, match=r"two regions are called e1#1"):
        Request(text="two apples", regions=(region, region))


@pytest.mark.parametrize("corners", [(8, 8, 2, 2), (0, 5, 10, 4), (float("nan"), 0, 1, 1), (0, 0, float("inf"), 1)])
def test_corners_that_are_none_are_refused(corners: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="is no x_min, y_min, x_max, y_max"):
        from_pixels(corners, 10, 10)
    with pytest.raises(ValueError, match="has no area"):
        from_pixels((0, 0, 1, 1), 0, 10)
