"""Layouts: what is solved is kept, judged by code that shares nothing with the solver."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scope.benchmarks.experiments.layout import Draft, forbidden, is_whole
from scope.parsing.grammar import Grammar
from scope.skills.layouts.rules import OPPOSITES, Rule, Thing, rules_of, things_of
from scope.skills.layouts.solver import Layout, solve
from scope.specification import Box, Cause, Commitment, Kind, Placing, Specification, Status, Type, to_pixels
from scope.specification.geometry import COMPARISONS, PLACES, RELATIONS, holds
from scope.specification.placements import MOST_REGIONS
from scope.verifiers.relations import relation_holds

NAMES = sorted(RELATIONS | set(PLACES) | COMPARISONS)

PROMPTS = """\
a bench
a cat on the left
a dog in the top left corner and a cat in the bottom right corner
five dogs
sixteen stars
two red apples to the left of a blue car on a beach, with a sign that says FRESH
a red apple to the right of a green pear
a bird above a tree and a dog below the tree
three cats above four dogs
four cats to the left of five dogs
a cat between two dogs
a cat between a dog and a bird
a dog next to a cat
three dogs next to a car
a cup on top of a table
an apple in a bowl on a table
five apples in a bowl
ten apples on a table
three dogs in front of a house
six cats behind a house
a dog in front of a house and a tree behind the house
a poster that says OPEN next to a door
a sign that says "GOOD MORNING" above a bed
a kite above a tree, the tree next to a house and a dog between the house and a car
a purple umbrella next to a unicorn in the snow
a clock above a sofa, a lamp to the left of the sofa and a plant to the right of the sofa
a boat under a bridge
a bird on a cat, and a dog below the cat
two cats and two dogs and two birds and two fish
a spoon to the left of a plate, the plate to the left of a knife, and the knife to the left of a fork
""".splitlines()


def problem(spec: Specification) -> tuple[tuple[Thing, ...], tuple[Rule, ...]]:
    things = things_of(spec)
    return things, rules_of(spec, things)


def solved(spec: Specification, seed: int = 0, width: int = 1, height: int = 1) -> Layout:
    return solve(*problem(spec), seed=seed, width=width, height=height)


# -- what is asked for is kept -------------------------------------------------------------------


@pytest.mark.heavy
def test_thirty_prompts_are_placed() -> None:
    assert len(PROMPTS) == 30
    grammar = Grammar()
    for seed, prompt in enumerate(PROMPTS):
        things, rules = problem(grammar.decompose(prompt))
        for width, height in ((1, 1), (16, 9)):
            layout = solve(things, rules, seed=seed, width=width, height=height)
            assert is_whole(things, rules, layout), (prompt, layout)


@st.composite
def drafts(draw: st.DrawFn) -> Specification:
    """Return things in a chain, some of whose links are rules; any such chain can be kept."""
    counts = draw(st.lists(st.integers(1, 2), min_size=2, max_size=5))
    two_place = [name for name in NAMES if name not in PLACES and name != "between"]
    links = [(draw(st.sampled_from(two_place)), pair) for pair in pairwise(range(len(counts))) if draw(st.booleans())]
    return Draft(counts, links[:2]).specification()


@pytest.mark.heavy
@settings(max_examples=60, deadline=None)
@given(drafts(), st.integers(0, 2**31 - 1), st.sampled_from([(1, 1), (16, 9), (9, 16), (3, 1), (1, 4)]))
def test_layouts_are_whole_on_any_canvas(spec: Specification, seed: int, canvas: tuple[int, int]) -> None:
    things, rules = problem(spec)
    layout = solved(spec, seed, *canvas)
    assert is_whole(things, rules, layout)
    counted = {c.targets[0]: int(c.value) for c in spec.of(Type.COUNT)}
    for entity in spec.of(Type.PRESENCE):
        assert sum(thing.owner == entity.id for thing in things) == counted.get(entity.id, 1)


@pytest.mark.heavy
@settings(max_examples=25, deadline=None)
@given(drafts(), st.integers(0, 1000))
def test_one_seed_gives_one_layout(spec: Specification, seed: int) -> None:
    assert solved(spec, seed) == solved(spec, seed)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_is_kept_and_its_opposite_breaks_it(name: str) -> None:
    others = 0 if name in PLACES else 2 if name == "between" else 1
    spec = Draft([1] * (1 + others), [(name, tuple(range(1 + others)))]).specification()
    things, rules = problem(spec)
    for seed in range(3):
        assert is_whole(things, rules, solved(spec, seed))
        denied = [Rule(r.commitment, OPPOSITES[r.name], r.groups) for r in rules]
        opposite = solve(things, denied, seed=seed)
        assert not opposite.clashes
        assert holds(name, *([opposite.boxes[i] for i in group] for group in rules[0].groups)) is False
        assert not list(forbidden(denied, opposite.boxes))


@pytest.mark.parametrize("name", ["left of", "right of", "above", "below", "on", "between"])
def test_the_verifier_of_relations_agrees(name: str) -> None:
    spec = Draft([1] * (3 if name == "between" else 2), [(name, (0, 1, 2) if name == "between" else (0, 1))])
    for seed in range(10):
        layout = solved(spec.specification(), seed)
        groups = [[to_pixels(box, 1000, 1000)] for box in layout.boxes]
        assert relation_holds("on top of" if name == "on" else name, groups)


def test_sizes_are_those_of_the_world_and_fewer_things_are_larger() -> None:
    area = {}
    for count in (1, 4, 16):
        for seed in range(5):
            boxes = solved(Draft([1] * count).specification(), seed).boxes
            sides = [side for b in boxes for side in (b.y_max - b.y_min, b.x_max - b.x_min)]
            assert 20 / 128 * 1000 - 1 <= min(sides) <= max(sides) <= 100 / 128 * 1000
            area[count, seed] = sum((b.y_max - b.y_min) * (b.x_max - b.x_min) for b in boxes) / count
    assert min(area[1, s] for s in range(5)) > max(area[4, s] for s in range(5))
    assert min(area[4, s] for s in range(5)) > max(area[16, s] for s in range(5))


def test_what_has_words_on_it_lies() -> None:
    spec = Grammar().decompose("a dog and a sign that says WELCOME")
    for seed in range(5):
        _, sign = solved(spec, seed).boxes
        assert sign.x_max - sign.x_min >= 2 * (sign.y_max - sign.y_min)


def test_seeds_strew_things_all_over_the_canvas() -> None:
    middles = [(b.x_min + b.x_max) / 2 for s in range(40) for b in solved(Draft([2]).specification(), s).boxes]
    assert len(set(middles)) > 60
    for low in range(200, 800, 100):
        assert any(low <= middle < low + 100 for middle in middles)


# -- a proposal ----------------------------------------------------------------------------------


def test_a_proposal_that_keeps_the_rules_stays_and_another_is_mended() -> None:
    spec = Draft([1, 1], [("left of", (0, 1))]).specification()
    things, rules = problem(spec)
    good = {"e1#1": Box.of(300, 100, 700, 450), "e2#1": Box.of(250, 550, 750, 900)}
    assert solve(things, rules, proposal=good).boxes == tuple(good.values())
    bad = good | {"e2#1": Box.of(250, 300, 750, 650)}
    mended = solve(things, rules, proposal=bad)
    assert is_whole(things, rules, mended)
    assert mended.boxes[0].root[::2] == good["e1#1"].root[::2]  # only what has to be moved is
    assert max(abs(a - b) for box, was in zip(mended.boxes, bad.values(), strict=True)
               for a, b in zip(box.root, was.root, strict=True)) < 200  # fmt: skip


# -- what cannot be kept -------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 5])
@pytest.mark.parametrize("name", ["left of", "above", "bigger than"])
def test_a_ring_is_a_clash_of_all_its_links_and_the_last_is_left_out(name: str, count: int) -> None:
    spec = Draft([1] * (count + 1), [(name, (i, (i + 1) % count)) for i in range(count)]).specification()
    (clash,) = solved(spec).clashes
    assert clash.commitments == tuple(f"c{i + 1}" for i in range(count))
    assert clash.left_out == f"c{count}"


@pytest.mark.heavy
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["left of", "right of", "above", "inside", "bigger than"]),
                          st.permutations(range(4)).map(lambda p: (p[0], p[1]))), min_size=2, max_size=6),
       st.integers(0, 100))  # fmt: skip
def test_clashes_are_minimal_and_the_rest_is_kept(rules: list[tuple[str, tuple[int, int]]], seed: int) -> None:
    things, asked = problem(Draft([1] * 4, rules).specification())
    layout = solve(things, asked, seed=seed)
    left_out = {clash.left_out for clash in layout.clashes}
    kept = [rule for rule in asked if rule.commitment not in left_out]
    assert is_whole(things, kept, Layout(layout.boxes))
    for clash in layout.clashes:
        assert clash.left_out in clash.commitments
        among = [rule for rule in asked if rule.commitment in clash.commitments]
        assert solve(things, among, seed=seed).clashes
        for rule in among:
            assert not solve(things, [r for r in among if r is not rule], seed=seed).clashes


def test_what_matters_least_is_left_out() -> None:
    things, rules = problem(Draft([1, 1], [("left of", (0, 1)), ("right of", (0, 1))]).specification())
    minor = [Rule(rules[0].commitment, rules[0].name, rules[0].groups, priority=3), rules[1]]
    assert [clash.left_out for clash in solve(things, minor).clashes] == ["c1"]


def test_too_many_things_have_no_layout() -> None:
    (clash,) = solved(Draft([9, 1, MOST_REGIONS - 1]).specification()).clashes
    assert (clash.commitments, clash.left_out) == (("e1", "e3"), None)
    assert solved(Draft([MOST_REGIONS + 1]).specification()).boxes == ()
    assert len(solved(Draft([MOST_REGIONS]).specification()).boxes) == MOST_REGIONS


# -- boxes that a person gave --------------------------------------------------------------------


def given_boxes(spec: Specification, **boxes: Box) -> Specification:
    cause = Cause(kind="person", name="region")
    for owner, box in boxes.items():
        (thing, *_) = [t for t in things_of(spec) if t.owner == owner]
        spec = spec.move(owner, Status.PLACED, cause, evidence=Placing(regions=(thing.region(box),)))
    return spec


def test_a_given_box_stays_and_the_others_go_around_it() -> None:
    given_box = Box.of(350, 380, 660, 700)
    spec = given_boxes(Draft([1, 3], [("left of", (1, 0))]).specification(), e1=given_box)
    things, rules = problem(spec)
    layout = solve(things, rules, seed=3)
    assert layout.boxes[0] == given_box
    assert is_whole(things, rules, layout)


def test_given_boxes_win_over_what_the_prompt_says() -> None:
    spec = Draft([1, 1, 1], [("left of", (0, 1)), ("above", (2, 0))]).specification()
    spec = given_boxes(spec, e1=Box.of(600, 600, 900, 900), e2=Box.of(600, 50, 900, 350))
    layout = solved(spec)
    assert [(clash.commitments, clash.left_out) for clash in layout.clashes] == [(("c1",), "c1")]
    assert holds("above", [layout.boxes[2]], [layout.boxes[0]])


def test_things_may_stand_on_a_given_box_that_leaves_no_room() -> None:
    for box in (Box.of(0, 0, 1000, 1000), Box.of(150, 150, 850, 850)):
        layout = solved(given_boxes(Draft([1, 2]).specification(), e1=box))
        assert layout.boxes[0] == box
        assert len(layout.boxes) == 3
        assert not layout.clashes


# -- what is read off a specification ------------------------------------------------------------


def declared(spec: Specification, *commitments: Commitment) -> Specification:
    for commitment in commitments:
        spec = spec.declare(commitment, Cause.skill("test", "1"))
    return spec


def test_phrases_and_ids_of_what_is_carried() -> None:
    spec = Grammar().decompose('two red apples to the left of a blue car, with a sign that says "FRESH"')
    things = things_of(spec)
    assert [thing.id for thing in things] == ["e1#1", "e1#2", "e2#1", "e3#1"]
    assert [thing.phrase for thing in things] == ["red apple", "red apple", "blue car", "sign"]
    assert [thing.text for thing in things] == ["", "", "", "FRESH"]
    carried = {spec[i].type for i in things[0].commitments}
    assert carried == {Type.PRESENCE, Type.ATTRIBUTE}
    assert [spec[i].type for i in things[3].commitments] == [Type.PRESENCE, Type.TEXT]


def test_what_is_denied_or_absent_has_no_region() -> None:
    spec = declared(
        Draft([1, 1]).specification(),
        Commitment(id="c8", kind=Kind.CONSTRAINT, type=Type.ABSENCE, claim="there is no dog", value="dog"),
        Commitment(id="c9", kind=Kind.CONSTRAINT, type=Type.TEXT, claim="no words", value="SALE", denied=True),
        Commitment(id="c10", kind=Kind.CONSTRAINT, type=Type.ATTRIBUTE, claim="thing 1 is not red", value="red",
                   targets=("e1",), aspect="color", denied=True),
        Commitment(id="c11", kind=Kind.CONSTRAINT, type=Type.TEXT, claim="words", value="OPEN"),
        Commitment(id="c12", kind=Kind.CONSTRAINT, type=Type.RELATION, claim="1 is not left of 2", value="left of",
                   targets=("e1", "e2"), denied=True),
    )  # fmt: skip
    things, rules = problem(spec)
    assert [(thing.id, thing.phrase, thing.text) for thing in things] == [
        ("e1#1", "thing1", ""),
        ("e2#1", "thing2", ""),
        ("c11#1", "sign", "OPEN"),
    ]
    assert [(rule.commitment, rule.name) for rule in rules] == [("c12", "right of")]
    layout = solve(things, rules)
    assert holds("left of", [layout.boxes[0]], [layout.boxes[1]]) is False
