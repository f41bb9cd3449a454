"""What the world draws for what a user says: one rule for who draws, who judges and who tells of it before."""

from dataclasses import replace

import pytest

from scope.engine.verification import drawn_apart, drawn_as, unknown_to
from scope.generators.region_words import named, region_request
from scope.models.detector import Detection
from scope.parsing.grammar import Grammar
from scope.parsing.lexicon import COLOR_OF, PLACES, SETTINGS
from scope.specification import Request, Type
from scope.verifiers.objects import DetectedScene, ObjectsVerifier
from scope.worlds.pocket import catalogue, plan_of
from scope.worlds.pocket.drawn import drawn, places, said_of, shades
from scope.worlds.pocket.vocabulary import VOCABULARY, with_names

WORLD = with_names(VOCABULARY)
#: Words that a prompt says, and what is drawn.
COARSER = [
    (Type.ATTRIBUTE, "turquoise", "blue"),
    (Type.ATTRIBUTE, "blue", "blue"),
    (Type.ATTRIBUTE, "wooden", None),
    (Type.SETTING, "road", "street"),
    (Type.SETTING, "street", "street"),
    (Type.SETTING, "hallway", None),
    (Type.PRESENCE, "golden retriever", "dog"),
    (Type.PRESENCE, "quasar", None),
    (Type.STYLE, "flat", "flat"),
    (Type.STYLE, "oil painting", None),
    (Type.CAMERA, "close-up", None),
]


@pytest.mark.parametrize(("type_", "word", "expected"), COARSER)
def test_what_is_drawn_for_a_word(type_: Type, word: str, expected: str | None) -> None:
    assert drawn(type_, word) == expected


def test_what_is_drawn_is_of_the_world_and_draws_itself() -> None:
    assert set(shades().values()) <= set(catalogue.COLORS)
    assert set(places().values()) <= set(catalogue.SETTINGS)
    assert shades().keys().isdisjoint(catalogue.COLORS)
    assert places().keys().isdisjoint(catalogue.SETTINGS)
    assert all(said_of(setting) >= {setting} for setting in catalogue.SETTINGS)
    assert shades().keys() <= COLOR_OF.keys()
    assert {word for word in places() if " " not in word} <= SETTINGS | PLACES | {"ice", "fall", "pier", "outside"}


def test_the_specification_keeps_the_users_words_and_who_draws_and_judges_agrees() -> None:
    spec = Grammar().decompose("a turquoise car on a road at dusk")
    assert [c.value for c in spec.of(Type.ATTRIBUTE, Type.SETTING)] == ["turquoise", "road", "dusk"]
    assert (plan_of(spec).groups[0].color, plan_of(spec).setting) == ("blue", "street at sunset")
    assert named("turquoise car") == ("car", "blue")
    assert region_request(Request(text="", setting="road, dusk")).setting == "street at sunset"
    car = Detection("car", "blue", 0.9, 0.9, (40.0, 40.0, 80.0, 80.0))
    right, wrong = (
        DetectedScene([car], "street at sunset", spec),
        DetectedScene([replace(car, color="red")], "beach", spec),
    )
    assert {right.check(c)[0] for c in spec.commitments} == {"met"}
    broken = {c.value for c in spec.commitments if wrong.check(c)[0] == "violated"}
    assert broken == {"turquoise", "road", "dusk"}


def test_a_note_before_drawing_says_what_is_drawn_instead() -> None:
    spec = Grammar().decompose("a turquoise car on a road")
    said = {note for c in spec.commitments if (note := drawn_as(WORLD, c))}
    assert said == {"'turquoise' is drawn as 'blue'", "'road' is drawn as 'street'"}
    assert not any(unknown_to(WORLD, c) for c in spec.commitments)
    together = Grammar().decompose("a car on a road at dusk").commitments
    assert drawn_apart(WORLD, together) is None
    assert "not drawn together" in str(
        drawn_apart(WORLD, Grammar().decompose("a car on a road on a beach").commitments)
    )


def test_a_camera_is_said_before_drawing_and_judged_by_nobody() -> None:
    [camera] = Grammar().decompose("a close-up of a cat").of(Type.CAMERA)
    assert unknown_to(WORLD, camera) == "the camera 'close-up'"
    assert camera.type not in ObjectsVerifier.types
