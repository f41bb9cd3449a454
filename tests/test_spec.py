"""The specification: what a ledger may hold, and that what it holds cannot be changed unseen."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import ValidationError

from scope.errors import StateCorrupt
from scope.specification import (
    EDGES,
    JUDGED,
    Answer,
    Cause,
    Commitment,
    Event,
    Fact,
    IllegalEvent,
    Judgement,
    Kind,
    Specification,
    Status,
    Type,
    Wording,
    answers,
    canonical_json,
    fold,
    ground,
    grounded,
    reopen,
    sha256_of,
)

CAUSE = Cause.skill("test", "1")


def entity(name: str = "e1", noun: str = "apple", **more: Any) -> Commitment:
    return Commitment(id=name, kind=Kind.ENTITY, type=Type.PRESENCE, claim=f"there is a {noun}", value=noun, **more)


#: The fields that every record has had from the first.
OLD_FIELDS = set("id kind type claim value targets aspect depends_on span priority origin".split())
BARE = entity().model_dump()


def declared(*names: str) -> Specification:
    spec = Specification(prompt="an apple")
    for name in names:
        spec = spec.declare(entity(name), CAUSE)
    return spec


class LedgerMachine(RuleBasedStateMachine):
    """Drives a ledger the way the graph does, beside a plain model of it: statuses, answers and a log of steps."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = Specification(prompt="")
        self.claims: dict[str, Commitment] = {}
        self.now: dict[str, Status] = {}
        self.log: list[tuple[str, Status | None, Status]] = []
        self.known: dict[str, Answer] = {}
        self.drafts = 0

    @initialize()
    def begin(self) -> None:
        self.spec = Specification(prompt="two red apples and a pear")

    def _move(self, name: str, after: Status, draft: str | None = None) -> None:
        before = self.now[name]
        old, old_sha = self.spec, self.spec.sha256()
        if after not in EDGES[before] or (after in JUDGED and draft is None):
            with pytest.raises(IllegalEvent):
                self.spec.move(name, after, CAUSE, draft=draft)
            return
        self.spec = self.spec.move(name, after, CAUSE, draft=draft)
        self.now[name] = after
        self.log.append((name, before, after))
        assert old.sha256() == old_sha != self.spec.sha256()

    def _pick(self, data: st.DataObject, *among: Status) -> str:
        return data.draw(st.sampled_from([i for i, s in self.now.items() if not among or s in among]))

    @rule(data=st.data(), kind=st.sampled_from(list(Kind)))
    def declare(self, data: st.DataObject, kind: Kind) -> None:
        name = f"{kind[0]}{len(self.claims)}"
        known = sorted(self.claims)
        targets = tuple(data.draw(st.lists(st.sampled_from(known), max_size=2, unique=True))) if known else ()
        types = {Kind.ENTITY: Type.PRESENCE, Kind.CONSTRAINT: Type.RELATION, Kind.UNKNOWN: Type.SEMANTIC_REASONING}
        new = Commitment(
            id=name, kind=kind, type=types[kind], claim=name, value=name, targets=targets, depends_on=targets
        )
        self.spec = self.spec.declare(new, CAUSE)
        self.claims[name], self.now[name] = new, Status.DECLARED
        self.log.append((name, None, Status.DECLARED))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), words=st.text(max_size=3))
    def ground(self, data: st.DataObject, words: str) -> None:
        """Answer something about one of the things that it speaks of, or about something else: that is refused."""
        name = self._pick(data)
        target = data.draw(st.sampled_from([None, *self.claims]))
        answer = Answer(words=words, facts=(Fact(type=Type.STYLE, value=words, target=target),))
        if target not in (None, *self.claims[name].targets):
            with pytest.raises(ValueError, match="cannot say"):
                ground(self.spec, name, answer, CAUSE)
        elif Status.GROUNDED in EDGES[self.now[name]]:
            self.spec = ground(self.spec, name, answer, CAUSE)
            self.log.append((name, self.now[name], Status.GROUNDED))
            self.now[name], self.known[name] = Status.GROUNDED, answer
        else:
            with pytest.raises(IllegalEvent):
                ground(self.spec, name, answer, CAUSE)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def bind(self, data: st.DataObject) -> None:
        self._move(self._pick(data), Status.BOUND)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), outcome=st.sampled_from(sorted(JUDGED)), named=st.booleans())
    def verify(self, data: st.DataObject, outcome: Status, named: bool) -> None:
        self.drafts += 1
        self._move(self._pick(data), outcome, f"d{self.drafts}" if named else None)

    @precondition(lambda self: any(s is Status.VIOLATED for s in self.now.values()))
    @rule(data=st.data())
    def repair(self, data: st.DataObject) -> None:
        self._move(self._pick(data, Status.VIOLATED), Status.REPAIRED)

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        """Open something, for the first time or again: its answer is dropped."""
        name = self._pick(data)
        if Status.OPEN in EDGES[self.now[name]]:
            self.known.pop(name, None)
            self.log.append((name, self.now[name], Status.OPEN))
            self.spec, self.now[name] = reopen(self.spec, name, CAUSE, "it proved wrong"), Status.OPEN
        else:
            with pytest.raises(IllegalEvent):
                reopen(self.spec, name, CAUSE, "it proved wrong")

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def waive(self, data: st.DataObject) -> None:
        self._move(self._pick(data), Status.WAIVED)

    @rule()
    def kill_and_resume(self) -> None:
        """Nothing is left but what was stored, and the life goes on from there."""
        again = restored(self.spec.prompt, dumped(self.spec))
        assert again == self.spec
        assert again.canonical() == self.spec.canonical()
        self.spec = again

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def fake(self, data: st.DataObject) -> None:
        """Nobody may take an id that is taken, or speak of one that is not there."""
        with pytest.raises(IllegalEvent):
            self.spec.declare(entity(self._pick(data)), CAUSE)
        with pytest.raises(IllegalEvent):
            self.spec.move("nobody", Status.OPEN, CAUSE)
        with pytest.raises(IllegalEvent):
            self.spec.declare(entity("new", targets=("nobody",)), CAUSE)

    @invariant()
    def nothing_changes_or_vanishes(self) -> None:
        assert self.spec.statuses() == self.now
        assert self.spec.commitments == tuple(self.claims.values())
        assert answers(self.spec) == self.known
        assert [(e.commitment, e.before, e.after) for e in self.spec.events] == self.log
        assert [e.sequence for e in self.spec.events] == list(range(len(self.log)))

    def teardown(self) -> None:
        assert fold(self.spec.prompt, self.spec.events) == self.spec


LedgerMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
TestLedger = pytest.mark.heavy(LedgerMachine.TestCase)


# -- one canonical form --------------------------------------------------------------------------

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def turned(value: Any) -> Any:
    """Return the same value with every dictionary's keys in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(v) for v in value] if isinstance(value, list) else value


@given(PLAIN)
def test_canonical_json_ignores_key_order_and_loses_nothing(value: Any) -> None:
    assert canonical_json(turned(value)) == canonical_json(value)
    assert json.loads(canonical_json(value)) == value
    assert sha256_of(turned(value)) == sha256_of(value)


@given(PLAIN, PLAIN)
def test_values_that_differ_have_hashes_that_differ(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (sha256_of(one) == sha256_of(other)) == same


def test_canonical_json_refuses_what_json_cannot_hold() -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical_json({"score": float("nan")})


# -- a stored ledger -----------------------------------------------------------------------------


def a_life() -> Specification:
    """Return a ledger in which every kind of event occurs."""
    spec = declared("e1", "e2")
    count = Commitment(
        id="c1", kind=Kind.CONSTRAINT, type=Type.COUNT, claim="there are exactly 2 apples", value=2, targets=("e1",)
    )
    spec = spec.declare(count, CAUSE)
    for name in ("e1", "e2", "c1"):
        spec = spec.move(name, Status.BOUND, Cause.skill("bind", "1"), evidence=Wording(words="two apples"))
    spec = spec.move(
        "e1", Status.MET, Cause.verifier("objects@1"), draft="d1", evidence=Judgement(reason="found 2", score=0.5)
    )
    spec = spec.move("e2", Status.UNJUDGED, Cause.verifier("objects@1"), draft="d1")
    spec = spec.move("c1", Status.VIOLATED, Cause.verifier("objects@1"), draft="d1")
    spec = spec.move("c1", Status.REPAIRED, Cause.skill("repair", "1"), seconds=0.5)
    spec = spec.move("c1", Status.MET, Cause.verifier("objects@1"), draft="d2")
    return spec.move("e2", Status.WAIVED, Cause(kind="person", name="user"))


def dumped(spec: Specification) -> list[dict[str, Any]]:
    return spec.model_dump(mode="json")["events"]  # type: ignore[no-any-return]


def restored(prompt: str, events: list[dict[str, Any]]) -> Specification:
    return fold(prompt, [Event.model_validate(e) for e in json.loads(json.dumps(events))])


def test_a_ledger_survives_storage() -> None:
    spec = a_life()
    again = restored(spec.prompt, dumped(spec))
    assert again == spec
    assert again.canonical() == spec.canonical()


def test_the_clock_is_no_part_of_a_specification() -> None:
    early = declared().declare(entity(), CAUSE, time=1.0).move("e1", Status.BOUND, CAUSE, time=2.0, seconds=0.1)
    late = declared().declare(entity(), CAUSE, time=9.0).move("e1", Status.BOUND, CAUSE, time=9.5, seconds=0.4)
    assert early != late
    assert early.sha256() == late.sha256()


@given(st.data())
def test_any_change_of_one_event_is_seen(data: st.DataObject) -> None:
    spec = a_life()
    events = dumped(spec)
    event = data.draw(st.sampled_from(events))
    field = data.draw(st.sampled_from([f for f in event if f not in {"time", "seconds"}]))
    other = data.draw(
        st.one_of(
            st.sampled_from([e[field] for e in events]),
            st.text("ab \n☃", max_size=3),
            st.integers(-1, 20),
            st.just({"x": 1}),
        ).filter(lambda value: canonical_json(value) != canonical_json(event[field]))
    )
    event[field] = other
    try:
        changed = restored(spec.prompt, events)
    except (StateCorrupt, ValidationError):
        return
    assert changed.sha256() != spec.sha256()


@given(st.data())
def test_a_lost_doubled_or_moved_event_is_refused(data: st.DataObject) -> None:
    spec = a_life()
    events = dumped(spec)
    at = data.draw(st.integers(0, len(events) - 2))  # a lost last event is a shorter life: the hash tells it
    how = data.draw(st.sampled_from(["lost", "doubled", "moved"]))
    if how == "lost":
        del events[at]
    elif how == "doubled":
        events.insert(at, events[at])
    else:
        events[at], events[at + 1] = events[at + 1], events[at]
    with pytest.raises(StateCorrupt, match="damaged"):
        restored(spec.prompt, events)


def test_hash_changes_with_a_lost_event_or_prompt() -> None:
    spec = a_life()
    assert restored(spec.prompt, dumped(spec)[:-1]).sha256() != spec.sha256()
    assert restored("a pear", dumped(spec)).sha256() != spec.sha256()


# -- reading -------------------------------------------------------------------------------------


def test_what_was_waived_stays_waived() -> None:
    assert EDGES[Status.WAIVED] == frozenset()
    assert set(EDGES) == set(Status)


def test_only_a_judged_commitment_can_be_repaired() -> None:
    assert {before for before, afters in EDGES.items() if Status.REPAIRED in afters} == JUDGED - {Status.MET}


def test_statuses_on_a_draft_survive_later_verdicts() -> None:
    spec = a_life()
    assert spec.statuses_on("d1")["c1"] is Status.VIOLATED
    assert spec.statuses_on("d2")["c1"] is Status.MET
    assert spec.statuses_on("d2")["e1"] is Status.MET
    assert spec.attempts("c1") == 2
    assert spec.attempts("e2") == 1


def test_selections_agree_with_the_statuses() -> None:
    spec = a_life()
    assert [c.id for c in spec.where(Status.MET)] == ["e1", "c1"]
    assert [c.id for c in spec.where(Status.MET, kind=Kind.ENTITY)] == ["e1"]
    assert [c.id for c in spec.where(*Status, type=Type.COUNT)] == ["c1"]
    assert [c.id for c in spec.of(Type.PRESENCE)] == ["e1", "e2"]
    assert [c.id for c in spec.about("e1")] == ["c1"]
    assert spec["c1"].value == 2
    with pytest.raises(KeyError):
        spec["c9"]


def test_values_are_frozen_and_closed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        entity().claim = "there is a pear"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        entity(color="red")


# -- what is denied, and other words -------------------------------------------------------------


COUNT = {"kind": Kind.CONSTRAINT, "type": Type.COUNT, "claim": "there are some", "value": 3}
UNKNOWN = {"kind": Kind.UNKNOWN, "type": Type.SEMANTIC_REASONING, "claim": "one of them", "value": "a cat or a dog"}


@pytest.mark.parametrize(
    ("plain", "more"),
    [
        ({}, {"denied": True, "said": "tortoise"}),
        ({"depends_on": ("e9",)}, {"part_of": "e9"}),
        (COUNT, {"comparator": ">="}),
        (COUNT, {"comparator": "between", "upto": 5}),
        (UNKNOWN, {"alternatives": ("a cat", "a dog")}),
    ],
)
def test_a_field_that_says_nothing_leaves_the_record_as_it_was_before_it_was_known(
    plain: dict[str, Any], more: dict[str, Any]
) -> None:
    without, with_them = Commitment(**(BARE | plain)), Commitment(**(BARE | plain | more))
    dumped = without.model_dump(mode="json")
    assert set(dumped) == OLD_FIELDS
    assert json.loads(canonical_json(with_them)) == json.loads(canonical_json(dumped | more))
    for commitment in (without, with_them):
        assert Commitment.model_validate_json(canonical_json(commitment)) == commitment


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"comparator": ">="}, "not count"),
        (COUNT | {"comparator": "between"}, "upper number"),
        (COUNT | {"upto": 5}, "upper number"),
        (COUNT | {"comparator": "between", "upto": 2}, "between 3 and 2"),
        ({"part_of": "e9"}, "depends on"),
        (COUNT | {"part_of": "e9", "depends_on": ("e9",)}, "of an entity"),
        ({"alternatives": ("a cat", "a dog")}, "of an unknown"),
    ],
)
def test_a_field_of_another_type_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Commitment(**(BARE | wrong))


@pytest.mark.parametrize(
    ("more", "kept"),
    [
        ({}, {3}),
        ({"comparator": ">="}, {3, 4, 5, 6}),
        ({"comparator": "<="}, {0, 1, 2, 3}),
        ({"comparator": "between", "upto": 5}, {3, 4, 5}),
    ],
)
def test_a_count_allows_what_its_words_say_and_denied_the_rest(more: dict[str, Any], kept: set[int]) -> None:
    count = Commitment(**(BARE | COUNT | more))
    assert {n for n in range(7) if count.allows(n)} == kept
    denied = count.model_copy(update={"denied": True})
    assert {n for n in range(7) if denied.allows(n)} == set(range(7)) - kept


def test_what_is_no_count_allows_no_number() -> None:
    with pytest.raises(TypeError, match="counts nothing"):
        entity().allows(1)


def test_what_is_some_of_a_thing_is_drawn_as_that_thing_is() -> None:
    spec = declared("e1").declare(entity("e2", part_of="e1", depends_on=("e1",)), CAUSE)
    unknown = Commitment(id="u1", **UNKNOWN, targets=("e1",))
    answer = Answer(words="a pear", facts=(Fact(type=Type.PRESENCE, value="pear", target="e1"),))
    known = grounded(ground(spec.declare(unknown, CAUSE).move("u1", Status.OPEN, CAUSE), "u1", answer, CAUSE))
    assert [known[name].value for name in ("e1", "e2")] == ["pear", "pear"]


@pytest.mark.parametrize("type_", [Type.COMPARISON, Type.PLACE])
def test_comparisons_and_places_are_kept_by_the_ledger(type_: Type) -> None:
    value, targets = ("bigger than", ("e1", "e2")) if type_ is Type.COMPARISON else ("top left", ("e1",))
    said = Commitment(
        id="c1", kind=Kind.CONSTRAINT, type=type_, claim="so it is", value=value, targets=targets, denied=True
    )
    spec = declared("e1", "e2").declare(said, CAUSE)
    assert spec.of(type_) == (said,)
    assert fold(spec.prompt, spec.events) == spec
    assert Specification.model_validate_json(spec.model_dump_json()) == spec
