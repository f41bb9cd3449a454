"""What a person may change before a run goes on: everything, and never without an event."""

import pytest
import yaml
from prompts import PROMPT

from scope.engine import review
from scope.errors import UsageError
from scope.specification import Specification, Status
from scope.testing import FakeReader


def spec() -> Specification:
    return FakeReader().decompose(PROMPT)


def entries(text: str) -> list[dict[str, object]]:
    loaded: list[dict[str, object]] = yaml.safe_load(text)
    return loaded


def live(specification: Specification) -> dict[str, object]:
    statuses = specification.statuses()
    return {c.id: c.value for c in specification.commitments if statuses[c.id] is not Status.WAIVED}


def test_agreeing_changes_nothing() -> None:
    assert review.edited(spec(), review.spec_question(spec()).text) == spec()


def test_a_changed_value_is_waived_and_declared_anew() -> None:
    before, listed = spec(), entries(review.spec_question(spec()).text)
    color = next(e for e in listed if e["value"] == "red")
    color |= {"value": "green", "claim": "the apple is green"}
    after = review.edited(before, yaml.safe_dump(listed))
    assert after.statuses()[str(color["id"])] is Status.WAIVED
    [new] = [c for c in after.commitments if c.value == "green"]
    assert (new.origin, new.targets) == ("user", ("e1",))
    assert after.commitments[: len(before.commitments)] == before.commitments


def test_what_speaks_of_a_changed_thing_follows_it() -> None:
    listed = entries(review.spec_question(spec()).text)
    listed[0] |= {"value": "pear", "claim": "there is a pear"}
    after = review.edited(spec(), yaml.safe_dump(listed))
    [pear] = [c for c in after.commitments if c.value == "pear"]
    relation = next(c for c in reversed(after.commitments) if c.value == "left of")
    assert relation.targets == (pear.id, "e2")
    assert sorted(map(str, live(after).values())) == sorted(map(str, {**live(spec()), "e1": "pear"}.values()))


def test_what_speaks_of_a_deleted_thing_is_given_up_with_it() -> None:
    listed = [e for e in entries(review.spec_question(spec()).text) if e["id"] != "e2"]
    after = review.edited(spec(), yaml.safe_dump(listed))
    assert all("e2" not in after[i].targets for i in live(after))
    assert "e2" not in live(after)
    assert set(live(after).values()) == {"apple", 2, "red", "beach"}


def test_a_comparison_a_place_and_a_denial_may_be_added() -> None:
    listed = entries(review.spec_question(spec()).text)
    listed += [
        {"id": "x1", "kind": "constraint", "type": "comparison", "claim": "the apple is bigger than the car",
         "value": "bigger than", "targets": ["e1", "e2"]},
        {"id": "x2", "kind": "constraint", "type": "place", "claim": "the car is not on the left", "value": "left",
         "targets": ["e2"], "denied": True},
    ]  # fmt: skip
    after = review.edited(spec(), yaml.safe_dump(listed))
    compared, placed = after.commitments[-2:]
    assert (compared.type.value, compared.targets, compared.denied) == ("comparison", ("e1", "e2"), False)
    assert (placed.value, placed.denied) == ("left", True)
    assert review.edited(after, review.spec_question(after).text) == after


def test_something_may_be_added() -> None:
    listed = entries(review.spec_question(spec()).text)
    listed.append({"id": "hat", "kind": "entity", "type": "presence", "claim": "there is a hat", "value": "hat"})
    listed.append(
        {
            "id": "x",
            "kind": "constraint",
            "type": "attribute",
            "claim": "it is red",
            "value": "red",
            "targets": ["hat"],
            "aspect": "color",
        }
    )
    after = review.edited(spec(), yaml.safe_dump(listed))
    assert after["e3"].value == "hat"
    assert after.commitments[-1].targets == ("e3",)


DOG = "{id: x, kind: entity, type: presence, claim: c, value: dog}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "list"),
        ("[]", "nothing would be left"),
        ("- {id: e1}", "cannot be read"),
        ("[1, 2]", "cannot be read"),
        ("{: [", "not YAML"),
        ("!!python/object/apply:os.system [echo]", "not YAML"),
        ("- {id: e1, kind: entity, type: presence, claim: c, value: v, status: met}", "cannot be read"),
        ("when: 2024-99-99", "list"),
        ("- &x [*x]", "holds itself"),
        ("{a: 1, a: 2}", "stands once"),
        ("[" * 3000, "not YAML"),
        ("- {id: x, kind: entity, type: setting, claim: c, value: beach}", "setting is of kind constraint"),
        (f"- {DOG}\n- {{id: y, kind: constraint, type: relation, claim: c, value: above, targets: [x]}}", "two things"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        review.edited(spec(), text)


def test_an_id_may_not_be_there_twice_nor_speak_of_nothing() -> None:
    listed = entries(review.spec_question(spec()).text)
    with pytest.raises(UsageError, match="twice"):
        review.edited(spec(), yaml.safe_dump([*listed, listed[0]]))
    listed[-1] |= {"targets": ["e9"], "value": "changed"}
    with pytest.raises(UsageError, match="e9"):
        review.edited(spec(), yaml.safe_dump(listed))


def test_a_plan_may_name_another_strategy_and_give_things_up() -> None:
    question = review.repair_question(spec(), "rebind", ("rebind", "regenerate"))
    text = question.text.replace("strategy: rebind", "strategy: regenerate").replace("waive: []", "waive: [e2]")
    plan = review.planned(spec(), text, question.strategies)
    assert plan == review.Plan(strategy="regenerate", waive=("e2",))
    after = review.waived(spec(), plan.waive)
    gone = {i for i, status in after.statuses().items() if status is Status.WAIVED}
    assert gone == {"e2"} | {c.id for c in spec().commitments if "e2" in c.depends_on}


@pytest.mark.parametrize("text", ["repair: perhaps", "strategy: pray", "{strategy: rebind, waive: [x9]}", "- a"])
def test_a_plan_that_cannot_be_carried_out_says_why(text: str) -> None:
    with pytest.raises(UsageError):
        review.planned(spec(), text, ("rebind",))
