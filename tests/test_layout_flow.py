"""The learned layout: slots and boxes say each other, the network hears its prompt, and regions carry its words."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from scope.errors import PromptError
from scope.generators.layouts import Layouts, text_of
from scope.generators.region_words import region_request
from scope.models.layout_flow import SLOT, SLOTS, LayoutFlow, from_slots, to_slots, velocity_fn
from scope.models.text_encoder import STATE_DIM, Conditioning
from scope.nn import paths
from scope.parsing.grammar import Grammar
from scope.skills.bind import request_of
from scope.specification import Binding, Request, Span
from scope.training.data import layouts as data
from scope.training.recipes.layout import layout_loss, probe
from scope.worlds.pocket import Group, Plan, arrange, held_out
from scope.worlds.pocket.catalogue import HELD_OUT_NOUNS


def random_boxes(count: int, seed: int = 0) -> Tensor:
    """Boxes in the picture, each side 0.1 to 0.8 of it."""
    noise = torch.Generator().manual_seed(seed)
    sides = 0.1 + 0.7 * torch.rand(1, count, 2, generator=noise)
    corner = (1 - sides) * torch.rand(1, count, 2, generator=noise)
    return torch.cat([corner, corner + sides], -1)


def words(m: int = 5, seed: int = 0) -> Conditioning:
    states = torch.randn(2, m, STATE_DIM, generator=torch.Generator().manual_seed(seed))
    return Conditioning(states, torch.arange(m).expand(2, m) % 3, torch.ones(2, m).bool(), None)


# -- slots ---------------------------------------------------------------------------------------


def test_slots_and_boxes_with_their_groups_say_each_other() -> None:
    boxes, groups = random_boxes(SLOTS), torch.arange(SLOTS)[None] % 8
    slots = to_slots(boxes, groups)
    assert slots.shape == (1, SLOTS, SLOT)
    found, owners = from_slots(slots)
    assert torch.equal(owners, groups)
    assert torch.allclose(found[groups > 0], boxes[groups > 0], atol=1e-5)


def test_the_box_of_an_empty_slot_is_not_read() -> None:
    groups = torch.zeros(1, 3, dtype=torch.long)
    assert torch.equal(to_slots(random_boxes(3), groups), to_slots(random_boxes(3, seed=1), groups))


def test_whatever_is_drawn_is_a_box_in_the_picture() -> None:
    boxes, _ = from_slots(5 * torch.randn(4, SLOTS, SLOT, generator=torch.Generator().manual_seed(0)))
    assert boxes.min() >= -1e-6
    assert boxes.max() <= 1 + 1e-6
    assert (boxes[..., 2:] - boxes[..., :2]).min() > 0.049


# -- the network ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> LayoutFlow:
    torch.manual_seed(0)
    made = LayoutFlow(dim=16, depth=1, heads=2)
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.1)
    return made.eval().requires_grad_(False)


def test_it_hears_words_and_whose_they_are_and_not_the_padding(model: LayoutFlow) -> None:
    x, t, text = torch.randn(2, SLOTS, SLOT), torch.tensor([0.4, 0.9]), words()
    before, other = model(x, t, text), words(seed=1)
    assert not torch.allclose(before, model(x, t, other), atol=1e-4)
    assert not torch.allclose(
        before, model(x, t, text.each(lambda part: part + 1 if part.dtype == torch.long else part))
    )
    padded = Conditioning(
        torch.cat([text.hidden_states, other.hidden_states[:, :3]], 1),
        torch.cat([text.groups, other.groups[:, :3]], 1), torch.cat([text.mask, torch.zeros(2, 3).bool()], 1), None,
    )  # fmt: skip
    assert torch.allclose(before, model(x, t, padded), atol=1e-4)


def test_its_velocity_points_from_the_slots_that_it_sees(model: LayoutFlow) -> None:
    x, t, text = torch.randn(2, SLOTS, SLOT), torch.tensor([0.4, 0.9]), words()
    assert torch.allclose(paths.velocity_to_x0(x, velocity_fn(model, text)(x, t), t), model(x, t, text), atol=1e-5)


class Knowing(LayoutFlow):
    """Places the same things whatever it is asked."""

    def __init__(self, boxes: Tensor, groups: Tensor) -> None:
        super().__init__(dim=8, depth=0, heads=1, text_depth=0)
        self.slots = to_slots(boxes, groups)

    def forward(self, x_t: Tensor, t: Tensor, text: Conditioning) -> Tensor:
        return self.slots.expand(len(x_t), -1, -1)


# -- a request without regions -------------------------------------------------------------------

PROMPT = 'two red apples and a sign that says "HI"'
BINDINGS = (
    Binding(commitment="e1", group=1, span=Span(start=4, end=14)),
    Binding(commitment="e2", group=2, span=Span(start=21, end=len(PROMPT))),
    Binding(commitment="s1", group=0, span=Span(start=0, end=3)),
)
ASKED = Request(text=PROMPT, bindings=BINDINGS, quoted=("HI",), seed=3)


def knowing(*groups: int) -> Layouts:
    padded = torch.tensor([[*groups, *[0] * (SLOTS - len(groups))]])
    return Layouts(Knowing(random_boxes(SLOTS), padded), {"layout": "ab" * 32})


def test_a_request_gets_a_region_for_each_slot_of_its_groups_in_their_words() -> None:
    placed = knowing(1, 2, 1, 5).placed(ASKED)  # of group 5 the prompt says nothing
    assert [r.id for r in placed.regions] == ["e1#1", "e2#1", "e1#2"]
    assert [r.commitments for r in placed.regions] == [("e1",), ("e2",), ("e1",)]
    assert [r.text for r in placed.regions] == ["", "HI", ""]
    assert placed.regions[0].phrase == placed.regions[2].phrase == "red apples"
    for box, r in zip(random_boxes(SLOTS)[0], placed.regions, strict=False):
        x0, y0, x1, y1 = (1000 * box).round().int().tolist()
        assert np.allclose(r.box.root, (y0, x0, y1, x1), atol=1)
    assert placed.model_copy(update={"regions": ()}) == ASKED


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("three pink balloons", [("balloon", "pink", "")]),
        ("a cup that is blue on a beach", [("cup", "blue", "")]),
        ('a red apple and a sign that says "OPEN"', [("apple", "red", ""), ("sign", "", "OPEN")]),
        ("a green frog to the left of a yellow car", [("frog", "green", ""), ("car", "yellow", "")]),
    ],
)
def test_a_region_shows_all_that_the_prompt_says_of_its_group(prompt: str, shown: list[tuple[str, str, str]]) -> None:
    """The words of a noun, of its colour and of what is written on it are bound one by one."""
    request = request_of(Grammar().decompose(prompt), seed=1)
    placed = knowing(*range(1, len(shown) + 1)).placed(request)
    things = region_request(placed).things
    found = [(t.phrase, t.look, r.text) for t, r in zip(things, placed.regions, strict=True)]
    assert found == shown


def test_a_prompt_that_names_nothing_has_no_regions_and_one_that_is_too_long_is_refused() -> None:
    request = Request(text="at night")
    assert knowing(1).placed(request) == request
    with pytest.raises(PromptError, match="too long"):
        knowing(1).placed(Request(text="a cat " * 40))


def test_places_are_a_pure_function_of_prompt_and_seed(model: LayoutFlow) -> None:
    layouts, texts = Layouts(model, {}), [text_of(ASKED), text_of(ASKED)]
    boxes, groups = layouts.sample(texts, [3, 4], steps=2)
    again, _ = layouts.sample(texts, [4, 3], steps=2)
    assert boxes.shape == (2, SLOTS, 4)
    assert groups.shape == (2, SLOTS)
    assert torch.allclose(boxes, again.flip(0), atol=1e-5)
    assert not torch.allclose(boxes[0], boxes[1], atol=1e-3)


# -- what it is trained on -----------------------------------------------------------------------


def test_slots_are_where_the_things_of_a_layout_stand_and_the_sign_follows_the_groups() -> None:
    layout = arrange(Plan((Group("apple", 2), Group("dog")), "left of", text="OPEN"), 3)
    boxes, groups = from_slots(data.slots_of(layout)[None])
    assert groups[0, :4].tolist() == [1, 1, 2, 3]
    assert not groups[0, 4:].any()
    assert layout.board is not None
    truth = torch.tensor([*(thing.xyxy_px for thing in layout.objects), layout.board]) / 128
    assert torch.allclose(boxes[0, :4], truth, atol=1e-5)


def test_plans_are_of_the_train_split_without_what_is_held_out_and_most_have_a_relation() -> None:
    random = np.random.default_rng(0)
    plans = [data.sample_plan(random, relation_p=1.0) for _ in range(60)]
    assert all(plan.relation for plan in plans)
    assert not any(held_out(plan) or plan.absent for plan in plans)
    assert not {group.noun for plan in plans for group in plan.groups} & HELD_OUT_NOUNS
    assert any(data.sample_plan(random, 0.0).relation is None for _ in range(20))


def test_layouts_are_a_pure_function_of_their_arguments_and_built_once(tmp_path, monkeypatch) -> None:
    first, again = (data.build(3, 5, 0.5) for _ in range(2))
    assert all(torch.equal(vars(first)[name], vars(again)[name]) for name in vars(first))
    text = first.text(torch.tensor([2, 0]))
    for row, of in zip((2, 0), range(2), strict=True):
        asked = Counter(from_slots(first.slots[row][None])[1][0].tolist())
        del asked[0]
        assert set(asked) <= set(text.groups[of].tolist())  # the words of every group that has a slot
    kept = data.load_or_build(tmp_path / "layouts.pt", 2, 1, 0.5)
    monkeypatch.setattr(data, "build", lambda *_: pytest.fail("it was built again"))
    read = data.load_or_build(tmp_path / "layouts.pt", 2, 1, 0.5)
    assert all(torch.equal(vars(kept)[name], vars(read)[name]) for name in vars(kept))


def test_the_loss_does_not_ask_for_the_boxes_of_empty_slots() -> None:
    truth = to_slots(random_boxes(SLOTS), torch.tensor([[1, 2, *[0] * (SLOTS - 2)]]))
    moved, t = truth.clone(), torch.tensor([0.5])
    moved[:, 2:, :4] += 9
    assert layout_loss(moved, truth, t) == 0
    moved[:, 0, 0] += 1
    assert layout_loss(moved, truth, t).item() == pytest.approx(1 / truth.numel() / 0.5**2)


def test_the_probe_counts_boxes_a_group_and_pictures_whose_boxes_are_clear_of_each_other() -> None:
    side_by_side = torch.tensor([[[i / SLOTS, 0.2, i / SLOTS + 0.05, 0.8] for i in range(SLOTS)]])
    groups = torch.tensor([[1, 1, 2, *[0] * (SLOTS - 3)]])
    truth, text = to_slots(side_by_side, groups), words().each(lambda part: part[:1])
    assert probe(Knowing(side_by_side, groups), text, truth) == {"counts": 1.0, "clear": 1.0}
    crowded = side_by_side[:, :1].expand(-1, SLOTS, -1)
    one_more = torch.tensor([[1, 1, 2, 2, *[0] * (SLOTS - 4)]])
    assert probe(Knowing(crowded, one_more), text, truth) == {"counts": 0.5, "clear": 0.0}
