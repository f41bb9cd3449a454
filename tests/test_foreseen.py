"""What no verifier could judge is said before anything is drawn; and who is asked first."""

import json
from collections.abc import Sequence
from importlib.metadata import EntryPoint

import pytest
from conftest import Cli, Parts
from PIL import Image
from prompts import PROMPT

from scope.config import Options
from scope.engine import assemble
from scope.engine.foreseen import unjudgeable
from scope.errors import PluginError, UsageError
from scope.models.detector import Detection, Detector
from scope.plugins import registry
from scope.plugins.registry import Plugin
from scope.specification import Answer, Cause, Commitment, Fact, Kind, Specification, Status, Type, Verdict, ground
from scope.testing import FakeLanguageModel, FakeReader, FakeVerifier
from scope.verifiers.objects import DetectedScene, ObjectsVerifier
from scope.verifiers.text import TextVerifier


@pytest.fixture(scope="module")
def shipped() -> tuple[ObjectsVerifier, TextVerifier]:
    """The verifiers that come with scope; what they know does not depend on their weights."""
    return ObjectsVerifier(Detector(), {}), TextVerifier()


# -- before drawing ------------------------------------------------------------------------------

THINGS = ("apple", "car", "centaur")  # e1, e2, and e3, which no detector knows

#: Type, value, targets, and whether the verifiers that come with scope could judge it on some picture.
CASES: list[tuple[Type, str | int, tuple[str, ...], bool]] = [
    (Type.COUNT, 2, ("e1",), True),
    (Type.COUNT, 2, ("e3",), False),
    (Type.ATTRIBUTE, "red", ("e1",), True),
    (Type.ATTRIBUTE, "red", ("e3",), False),
    (Type.ATTRIBUTE, "wooden", ("e1",), False),
    (Type.RELATION, "left of", ("e1", "e2"), True),
    (Type.RELATION, "between", ("e1", "e2", "e2"), True),
    (Type.RELATION, "inside", ("e1", "e2"), True),
    (Type.RELATION, "left of", ("e1", "e3"), False),
    (Type.RELATION, "chasing", ("e1", "e2"), False),
    (Type.COMPARISON, "bigger than", ("e1", "e2"), True),
    (Type.COMPARISON, "wiser than", ("e1", "e2"), False),
    (Type.PLACE, "top left", ("e1",), True),
    (Type.PLACE, "top left", ("e3",), False),
    (Type.SETTING, "beach", (), True),
    (Type.SETTING, "ballroom of mirrors", (), False),
    (Type.STYLE, "3-D", (), True),
    (Type.STYLE, "oil painting", (), False),
    (Type.TEXT, "HI", (), True),
    (Type.ABSENCE, "dog", (), True),
    (Type.ABSENCE, "wug", (), False),
    (Type.EXTERNAL_REFERENCE, "Team Zorvex", (), False),
    (Type.SEMANTIC_REASONING, "as many as wheels", (), False),
]


def asked(of_type: Type, value: str | int, targets: tuple[str, ...]) -> Specification:
    """Return a specification of three things and one more commitment, "x1"."""
    spec, cause = Specification(prompt="things"), Cause.skill("test", "1")
    for number, noun in enumerate(THINGS, start=1):
        thing = Commitment(
            id=f"e{number}", kind=Kind.ENTITY, type=Type.PRESENCE, claim=f"there is a {noun}", value=noun
        )
        spec = spec.declare(thing, cause)
    kind = Kind.UNKNOWN if of_type in (Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING) else Kind.CONSTRAINT
    more = Commitment(
        id="x1", kind=kind, type=of_type, claim=f"it is so: {value}", value=value, targets=targets, depends_on=targets,
        aspect="color" if value == "red" else None,
    )  # fmt: skip
    return spec.declare(more, cause)


@pytest.mark.parametrize(("of_type", "value", "targets", "judged"), CASES)
def test_what_cannot_be_judged_is_said_of_every_type(
    shipped: tuple[ObjectsVerifier, TextVerifier],
    of_type: Type,
    value: str | int,
    targets: tuple[str, ...],
    judged: bool,
) -> None:
    said = {one.commitment: one for one in unjudgeable(asked(of_type, value, targets), shipped)}
    assert said.keys() == {"e3"} | (set() if judged else {"x1"})
    assert "centaur" in said["e3"].why
    assert all(one.why and one.claim in str(one) for one in said.values())


@pytest.mark.parametrize("of_type", sorted(set(Type) - {Type.PRESENCE, Type.COUNT, Type.TEXT}))
def test_of_no_type_is_a_word_that_nobody_knows_passed_over(
    shipped: tuple[ObjectsVerifier, TextVerifier], of_type: Type
) -> None:
    said = unjudgeable(asked(of_type, "xyzzy", ("e1", "e2")), shipped)
    assert "x1" in [one.commitment for one in said]


@pytest.mark.parametrize(("of_type", "value", "targets", "judged"), CASES)
def test_what_is_said_to_be_unjudgeable_is_judged_on_no_picture(
    shipped: tuple[ObjectsVerifier, TextVerifier],
    of_type: Type,
    value: str | int,
    targets: tuple[str, ...],
    judged: bool,
) -> None:
    spec, objects = asked(of_type, value, targets), shipped[0]
    apple = Detection("apple", "red", 0.9, 0.9, (10.0, 10.0, 40.0, 40.0))
    car, dog = (Detection(noun, "blue", 0.9, 0.9, (70.0, 20.0, 120.0, 60.0)) for noun in ("car", "dog"))
    for seen in ([apple, car], [dog, car, apple], [apple, apple, car, car]):
        for commitment in filter(objects.handles, spec.commitments):
            if objects.why_not(commitment, spec):
                assert DetectedScene(seen, "beach", spec).check(commitment)[0] is None


@pytest.mark.parametrize(("of_type", "value", "targets", "judged"), CASES)
def test_a_verifier_never_judges_what_it_said_that_it_could_not(
    shipped: tuple[ObjectsVerifier, TextVerifier],
    of_type: Type,
    value: str | int,
    targets: tuple[str, ...],
    judged: bool,
) -> None:
    spec, objects = asked(of_type, value, targets), shipped[0]
    commitments = [c for c in spec.commitments if objects.handles(c)]
    verdicts = objects.check(Image.new("RGB", (128, 128), "white"), commitments, spec)  # nothing is there
    for commitment, verdict in zip(commitments, verdicts, strict=True):
        if why := objects.why_not(commitment, spec):
            assert (verdict.outcome, verdict.reason) == (None, why)


def test_an_unknown_is_said_until_it_is_answered_and_then_what_its_answer_says() -> None:
    spec = FakeReader().decompose("1 apple ?color")
    verifier = FakeVerifier(handled=frozenset({Type.PRESENCE, Type.COUNT, Type.ATTRIBUTE}))
    (open_,) = unjudgeable(spec, [verifier])
    assert (open_.commitment, "unless a skill finds it out" in open_.why) == ("u1", True)
    cause = Cause.skill("test", "1")
    red = ground(spec, "u1", Answer(words="red", facts=(Fact(type=Type.ATTRIBUTE, value="red"),)), cause)
    assert unjudgeable(red, [verifier]) == ()
    styled = ground(spec, "u1", Answer(words="cubist", facts=(Fact(type=Type.STYLE, value="cubist"),)), cause)
    assert [one.why for one in unjudgeable(styled, [verifier])] == ["none is installed for style"]


def test_what_one_of_several_can_judge_is_not_said() -> None:
    spec = FakeReader().decompose("1 apple on beach")
    things, places = (FakeVerifier(handled=frozenset({of})) for of in (Type.PRESENCE, Type.SETTING))
    assert [one.commitment for one in unjudgeable(spec, [things])] == ["c1", "c2"]
    assert [one.commitment for one in unjudgeable(spec, [things, places])] == ["c1"]
    assert unjudgeable(spec, [things], asks_model=True) == ()


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_it_is_said_before_anything_is_drawn(cli: Cli, parts: Parts, more: tuple[str, ...]) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier(handled=frozenset({Type.PRESENCE}))
    told = cli("generate", "1 apple on beach", *more).stderr
    note = "note: no verifier can judge whether setting of beach (c2): none is installed for setting"
    assert told.count(note) == 1
    assert more or told.index(note) < told.index("drawing")
    plan = json.loads(cli("generate", "1 apple on beach", "--dry-run", "--json").stdout)
    assert [one["commitment"] for one in plan["unjudged"]] == ["c1", "c2"]


# -- who is asked first --------------------------------------------------------------------------


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, parts: Parts) -> None:
    """A verifier of another package, whose name comes before those of scope's own."""
    parts["verifiers", "a-toy"] = lambda: FakeVerifier(otherwise="violated", name="a-toy")
    foreign, own = (Plugin("verifiers", EntryPoint(name, "toy:load", "scope.verifiers")) for name in ("a-toy", "text"))
    monkeypatch.setattr(registry, "installed", lambda kind: [foreign] if kind == "verifiers" else [])
    monkeypatch.setattr(registry, "names", lambda kind: ["a-toy", "objects"] if kind == "verifiers" else [])
    monkeypatch.setattr(registry, "find", lambda kind, name: own)


@pytest.mark.usefixtures("plugin")
def test_a_plugin_never_takes_the_place_of_a_built_in_verdict_unless_the_configuration_says_so(cli: Cli) -> None:
    def outcomes(*more: str) -> set[str]:
        report = json.loads(cli("generate", PROMPT, "--max-rounds", "0", "--json", *more).stdout)
        return {f"{row['outcome']} by {row['verifier']}" for row in report["commitments"]}

    assert outcomes() == {"met by fake@1"}
    assert outcomes("--verifiers", "objects,a-toy") == {"met by fake@1"}
    assert outcomes("--verifiers", "a-toy,objects") >= {"violated by a-toy@1"}


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("options", "order"),
    [
        (Options(), ("objects", "a-toy")),
        (Options(verifiers=("a-toy", "objects")), ("a-toy", "objects")),
        (Options(verifiers=("a-toy",)), ("a-toy",)),
    ],
)
def test_the_order_is_the_configured_one_else_built_in_first(options: Options, order: tuple[str, ...]) -> None:
    assert assemble.verifier_names(options) == order


def test_a_verifier_that_is_not_there_is_named_before_anything_is_drawn() -> None:
    with pytest.raises(PluginError, match="objets"):
        assemble.verifier_names(Options(verifiers=("objets",)))
    with pytest.raises(UsageError, match="--language"):
        assemble.verifier_names(Options(verifiers=("objects", "vlm")))


def test_the_one_that_asks_a_language_model_is_asked_only_where_there_is_one() -> None:
    assert assemble.verifier_names(Options()) == ("objects", "text")
    assert assemble.verifier_names(Options(language="openai")) == ("objects", "text", "vlm")
    names = [
        v.name for v in assemble.verifiers(Options(language="openai", verifiers=("vlm",)), FakeLanguageModel([{}]))
    ]
    assert names == ["vlm"]
    assert assemble.verifiers(Options(language="openai", verifiers=("vlm",)), None) == ()


class Broken(FakeVerifier):
    """Fails when it is asked what it could judge."""

    def why_not(self, commitment: Commitment, spec: Specification) -> str:
        raise RuntimeError("this fake was told to fail")

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        raise RuntimeError("this fake was told to fail")


def test_a_verifier_that_fails_is_not_taken_for_one_that_cannot() -> None:
    spec = FakeReader().decompose("1 apple")
    assert unjudgeable(spec, [Broken()]) == ()
    assert spec.where(Status.DECLARED)
