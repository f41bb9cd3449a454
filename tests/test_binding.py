"""What each cell hears: regions as a batch, the binding against a picture painted by hand, the network around it."""

import pytest
import torch
from torch import Tensor, nn

from scope.models.binding import COLORS, FINE, GROUND, HEARD, LETTER, POINTS, Binding, Heard, Words
from scope.models.bound_dit import T_MIN, BoundDiT, velocity_fn
from scope.models.regions import (
    REFERENCE,
    Letter,
    RegionRequest,
    Regions,
    Thing,
    batched,
    mean_states,
    phrase_states,
    symbol,
)
from scope.models.text_encoder import STATE_DIM, TextInput, encode
from scope.nn import paths
from scope.nn.cells import laid
from scope.nn.transformer import to_tokens
from scope.tokenizers import lapped
from scope.training.recipes.binding import read_of

SIDE = 4
LEFT, RIGHT, MIDDLE = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0), (0.25, 0.3, 0.8, 0.6)


def states(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, STATE_DIM, generator=torch.Generator().manual_seed(seed))


def regions(*boxes: tuple[float, ...], letters: str = "", seed: int = 0) -> Regions:
    """Regions with random words; letters stand side by side over the whole picture."""
    r, n = len(boxes), len(letters)
    placed = torch.tensor([[(i / n, 0.1, (i + 1) / n, 0.9) for i in range(n)]]) if n else torch.zeros(1, 0, 4)
    return Regions(
        states(1, r, seed=seed), states(1, r, seed=seed + 3), states(1, r, seed=seed + 1),
        torch.tensor([boxes]), torch.ones(1, r).bool(),
        states(1, seed=seed + 2), torch.tensor([[symbol(c) for c in letters]]).long().view(1, n), placed,
        torch.ones(1, n).bool(),
    )  # fmt: skip


def changed(before: Regions, **fields: Tensor | None) -> Regions:
    return Regions(**(vars(before) | fields))


def spoken(module: nn.Module) -> nn.Module:
    """Zero-initialised heads would make every test of the output pass."""
    torch.manual_seed(0)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.1)
    return module.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def binding() -> Binding:
    torch.manual_seed(0)
    made = Binding(SIDE, d=2, wide=16)
    made.fit({kind: states(400, seed=9) + 0.3 for kind in ("nouns", "looks", "styles", "settings")})
    return made.eval().requires_grad_(False)


def in_columns(moved: Tensor) -> set[int]:
    """Return the columns of cells of which what they hear (1, n, c) moved."""
    return set((moved[0].abs().amax(-1) > 1e-5).nonzero().flatten().remainder(SIDE).tolist())


# -- regions -------------------------------------------------------------------------------------


def test_requests_of_any_length_are_one_batch_and_come_back_from_it() -> None:
    reference = torch.randn(REFERENCE)
    things = (Thing("apple", LEFT, "red", "flat"), Thing("dog", MIDDLE, reference=reference))
    asked = [RegionRequest(things, (Letter("H", LEFT), Letter("é", RIGHT)), "beach"), RegionRequest((), (), "")]
    batch = batched(asked)
    assert batch.mask.tolist() == [[True, True], [False, False]]
    assert torch.equal(batch.boxes[0], torch.tensor([LEFT, MIDDLE]))
    for i, thing in enumerate(things):
        assert torch.equal(batch.phrases[0, i], phrase_states(thing.phrase))
        assert torch.equal(batch.looks[0, i], phrase_states(thing.look))
        assert torch.equal(batch.styles[0, i], phrase_states(thing.style))
    assert torch.equal(batch.setting, torch.stack([phrase_states("beach"), torch.zeros(STATE_DIM)]))
    assert batch.letters.tolist() == [[ord("H"), ord("?")], [0, 0]]  # what is no ASCII is a question mark
    assert torch.equal(batch.letter_boxes[0], torch.tensor([LEFT, RIGHT]))
    assert batch.letter_mask.tolist() == [[True, True], [False, False]]
    assert batch.references is not None
    assert torch.equal(batch.references[0], torch.stack([torch.zeros(REFERENCE), reference]))
    assert not any(part[1].any() for part in vars(batch).values())


def test_without_letters_or_references_there_are_none() -> None:
    batch = batched([RegionRequest((Thing("", LEFT),))])
    assert batch.letters.shape == (1, 0)
    assert batch.references is None
    assert batched([RegionRequest(())]).mask.tolist() == [[False]]


def test_a_phrase_is_the_mean_of_its_tokens_whatever_stands_beside_it() -> None:
    coded = encode([TextInput("a red apple")])
    alone = coded.hidden_states[0, : int(coded.mask.sum())].mean(0)
    assert torch.allclose(phrase_states("a red apple"), alone, atol=1e-5)
    together = mean_states(["dog", "a red apple", "a blue car beside a red cup on a table"], batch=2)
    assert torch.allclose(together[1], alone, atol=1e-4)
    assert not phrase_states("").any()


# -- the binding ---------------------------------------------------------------------------------


def test_a_cell_hears_only_the_regions_that_cover_it(binding: Binding) -> None:
    before = regions(LEFT, RIGHT)
    for which, columns in ((0, {0, 1}), (1, {2, 3})):
        for field in ("phrases", "looks", "styles"):
            other = getattr(before, field).clone()
            other[0, which] = states(1, seed=7)[0]
            assert in_columns(binding(changed(before, **{field: other})).cells - binding(before).cells) == columns


def test_a_letter_is_heard_where_it_stands(binding: Binding) -> None:
    before, after = (regions(LEFT, letters=letters) for letters in ("AB", "AC"))
    assert in_columns(binding(after).cells - binding(before).cells) == {2, 3}


def test_the_setting_is_heard_where_no_thing_hides_it(binding: Binding) -> None:
    before = regions(LEFT)
    moved = binding(changed(before, setting=states(1, seed=7))).cells - binding(before).cells
    assert (moved.abs().amax(-1) > 1e-5).all()  # an untrained thing hides half of it


def test_padding_changes_nothing(binding: Binding) -> None:
    before = regions(LEFT, MIDDLE, letters="HI")
    longer, padding = regions(LEFT, MIDDLE, RIGHT, MIDDLE, letters="OUCH", seed=20), [True, True, False, False]
    padded = changed(
        longer,
        **{name: torch.cat([getattr(before, name), getattr(longer, name)[:, 2:]], 1)
           for name in ("phrases", "looks", "styles", "boxes", "letters", "letter_boxes")},
        mask=torch.tensor([padding]), letter_mask=torch.tensor([padding]), setting=before.setting,
    )  # fmt: skip
    for one, other in zip(vars(binding(before)).values(), vars(binding(padded)).values(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def painted(binding: Binding, given: Regions) -> Tensor:
    """Return the canvas (c, h, w) by laying one region after the other over the setting."""
    ground = binding.setting(binding.settings(given.setting)).view(1, COLORS, GROUND, GROUND)
    canvas = nn.functional.interpolate(ground, size=(SIDE * FINE, SIDE * FINE), mode="bilinear")[0]
    for i in range(given.boxes.shape[1]):
        code = binding.noun(binding.nouns(given.phrases[:, i])) * binding.style(binding.styles(given.styles[:, i]))
        maps = binding.map(code).view(1, -1, POINTS, POINTS)
        if given.references is not None:
            maps = maps + binding.reference(given.references[:, i])
        layer = laid(binding.paint(maps, binding.looks(given.looks[:, i])), given.boxes[:, i], SIDE * FINE)[0]
        canvas = canvas * (1 - layer[COLORS]) + layer[:COLORS]
    return canvas


def test_what_is_heard_is_the_picture_that_one_layer_over_another_makes(binding: Binding) -> None:
    given = regions(LEFT, MIDDLE, (0.1, 0.1, 0.9, 0.45), letters="WORD")
    given = changed(given, references=torch.randn(1, 3, *REFERENCE, generator=torch.Generator().manual_seed(4)))
    canvas = painted(binding, given)
    ink = sum(
        laid(binding.letter(given.letters[0, i]).view(1, 1, LETTER, LETTER), given.letter_boxes[:, i], SIDE * FINE)
        for i in range(4)
    )
    heard = binding(given)
    assert heard.cells.shape == (1, SIDE * SIDE, HEARD)
    for cell in range(SIDE * SIDE):
        (y, x), f = divmod(cell, SIDE), FINE
        seen = [canvas[:, y * f : (y + 1) * f, x * f : (x + 1) * f].flatten()]
        seen.append(ink[0, 0, y * FINE : (y + 1) * FINE, x * FINE : (x + 1) * FINE].flatten())
        lies = torch.cat(seen)
        assert torch.allclose(heard.cells[0, cell, : len(lies)], lies, atol=1e-4)
        read = nn.functional.gelu(binding.read(lies), approximate="tanh")
        assert torch.allclose(heard.cells[0, cell, len(lies) :], read, atol=1e-4)
        assert torch.allclose(heard.x_0[0, cell], binding.sketch(torch.cat([lies, read])), atol=1e-4)


def test_what_is_in_front_is_seen_and_the_order_of_regions_says_what_is(binding: Binding) -> None:
    given = regions(LEFT, LEFT)
    turned = changed(given, **{name: getattr(given, name).flip(1) for name in ("phrases", "looks", "styles")})
    assert not torch.allclose(binding(given).x_0, binding(turned).x_0, atol=1e-3)


def test_no_style_and_no_look_are_not_the_mean_of_those_that_have_a_name() -> None:
    """By a line they would be: two styles lie on either side of none."""
    torch.manual_seed(0)
    made = Binding(SIDE, d=2, wide=16).requires_grad_(False)
    named = states(2, seed=5)
    made.fit({"styles": named, "looks": named})
    for words, reads in ((made.styles, made.style), (made.looks, made.paint.look)):
        coordinates = words(named)
        assert torch.allclose(coordinates.mean(0), torch.zeros(()), atol=1e-4)
        apart = reads(coordinates).mean(0) - reads(torch.zeros(words.k))
        assert apart.abs().max() > 1e-4


def test_what_layers_are_of_drawings_is_what_is_laid_into_boxes(binding: Binding) -> None:
    """Learnt alone, a drawing is the one that scenes show: in the box that is the whole picture."""
    given = regions((0.0, 0.0, 1.0, 1.0))
    layer = binding.layers(given.phrases[0], given.looks[0], given.styles[0], None)
    whole = laid(layer, given.boxes[0], SIDE * FINE)[0]
    ground = binding.canvas(changed(given, mask=torch.zeros(1, 1).bool()))[0]
    assert torch.allclose(binding.canvas(given)[0], ground * (1 - whole[COLORS]) + whole[:COLORS], atol=1e-4)


def test_before_training_the_sketch_is_what_a_linear_tokenizer_reads_in_the_canvas() -> None:
    torch.manual_seed(0)
    tokenizer = lapped.load()[0]
    made = Binding(tokenizer.size // tokenizer.patch, tokenizer.d, wide=16).requires_grad_(False)
    made.read_as(*read_of(tokenizer))
    made.setting.weight.zero_()
    made.setting.bias.uniform_(-1, 1)
    given = changed(regions(LEFT), mask=torch.tensor([[False]]))
    shown = made.canvas(given)
    assert torch.allclose(made(given).x_0, to_tokens(tokenizer.encode(shown)), atol=1e-3)


def test_without_regions_there_is_the_setting_alone(binding: Binding) -> None:
    empty = changed(regions(LEFT, RIGHT), mask=torch.tensor([[False, False]]))
    assert torch.equal(binding(empty).x_0, binding(changed(empty, phrases=states(1, 2, seed=5))).x_0)
    assert not torch.equal(binding(empty).x_0, binding(changed(empty, setting=states(1, seed=5))).x_0)


def test_a_batch_says_what_its_samples_say_alone(binding: Binding) -> None:
    one, other = regions(LEFT, RIGHT, letters="HI"), regions(MIDDLE, LEFT, letters="NO", seed=30)
    both = Regions(
        **{name: None if part is None else torch.cat([part, vars(other)[name]]) for name, part in vars(one).items()}
    )
    assert torch.allclose(binding(both).x_0, torch.cat([binding(one).x_0, binding(other).x_0]), atol=1e-5)
    twice = binding(one).repeat(2)
    assert torch.equal(twice.x_0, torch.cat([binding(one).x_0] * 2))
    assert twice.to(torch.device("cpu")).cells.shape == (2, SIDE * SIDE, HEARD)


def test_words_are_told_apart_on_axes_of_unit_variance_and_no_words_stay_none() -> None:
    made, mix = Words(24), torch.randn(24, STATE_DIM, generator=torch.Generator().manual_seed(1))
    said = torch.randn(1500, 24, generator=torch.Generator().manual_seed(2)) @ mix + 0.5
    made.fit(said, floor=0.0)
    assert torch.allclose(made(said).mean(0), torch.zeros(24), atol=1e-2)
    assert torch.allclose(torch.cov(made(said).T), torch.eye(24), atol=2e-2)
    assert not made(torch.zeros(3, STATE_DIM)).any()
    few = Words(8)
    few.fit(states(3, seed=4))  # three words differ along two axes
    variances = few(states(3, seed=4)).var(0)
    assert torch.allclose(variances[:2], torch.ones(2), atol=1e-2)
    assert variances[2:].max() < 1e-2


# -- the network ---------------------------------------------------------------------------------


def network() -> BoundDiT:
    return BoundDiT(d=2, side=SIDE, dim=16, depth=1, heads=2)


def heard(seed: int = 0) -> Heard:
    noise = torch.Generator().manual_seed(seed)
    return Heard(*(torch.randn(1, SIDE * SIDE, c, generator=noise) for c in (HEARD, 2)))


def given(seed: int = 0) -> tuple[Tensor, Tensor]:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(1, SIDE * SIDE, 2, generator=noise), torch.tensor([0.6])


def test_at_construction_it_says_what_the_sketch_says() -> None:
    output = network()(*given(), heard())
    assert torch.equal(output.x_0, heard().x_0)
    assert output.hidden.shape == (1, SIDE * SIDE, 16)


def test_it_hears_its_state_its_time_its_cells_and_what_joins_the_time() -> None:
    model, (x, t) = network(), given()
    spoken(model)
    before = model(x, t, heard()).x_0
    assert not torch.allclose(before, model(x + 1, t, heard()).x_0, atol=1e-5)
    assert not torch.allclose(before, model(x, t / 2, heard()).x_0, atol=1e-5)
    assert not torch.allclose(before, model(x, t, Heard(heard(1).cells, heard().x_0)).x_0, atol=1e-5)
    assert not torch.allclose(before, model(x, t, heard(), None, torch.ones(1, 16)).x_0, atol=1e-5)
    assert torch.equal(before, model(x, t, heard(), torch.tensor([False])).x_0)  # there is no guidance


@pytest.mark.parametrize("t", [0.3, T_MIN, 0.01])
def test_its_velocity_points_from_the_x_0_that_it_sees_and_is_held_near_the_data(t: float) -> None:
    model, (x, _) = network(), given()
    spoken(model)
    v = velocity_fn(model, heard())(x, torch.tensor([t]))
    x_0 = model(x, torch.tensor([t]), heard()).x_0
    assert torch.allclose(paths.velocity_to_x0(x, v, torch.tensor([max(t, T_MIN)])), x_0, atol=1e-5)
