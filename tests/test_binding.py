"""What each cell hears: regions as a batch, the binding against a loop over cells, and the network around it."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.binding import Binding
from scope.models.bound_dit import T_MIN, BoundDiT, velocity_fn
from scope.models.regions import Letter, RegionRequest, Regions, Thing, batched, mean_states, phrase_states, symbol
from scope.models.text_encoder import STATE_DIM, TextInput, encode
from scope.nn import paths
from scope.nn.cells import covered, places

SIDE = 4
LEFT, RIGHT, MIDDLE = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0), (0.25, 0.3, 0.8, 0.6)


def states(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, STATE_DIM, generator=torch.Generator().manual_seed(seed))


def regions(*boxes: tuple[float, ...], letters: str = "", seed: int = 0) -> Regions:
    """Regions with random words; letters stand side by side over the whole picture."""
    r, n = len(boxes), len(letters)
    placed = torch.tensor([[(i / n, 0.1, (i + 1) / n, 0.9) for i in range(n)]]) if n else torch.zeros(1, 0, 4)
    return Regions(
        states(1, r, seed=seed), states(1, r, seed=seed + 1), torch.tensor([boxes]), torch.ones(1, r).bool(),
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
    made = Binding(SIDE, dim=8, d=2, wide=16, hidden=12)
    spoken(made)
    made.whiten(states(800, seed=9) * torch.linspace(0.5, 2, STATE_DIM) + 0.3)
    return made


def in_columns(moved: Tensor) -> set[int]:
    """Return the columns of cells whose tokens (1, n, c) moved."""
    return set((moved[0].abs().amax(-1) > 1e-5).nonzero().flatten().remainder(SIDE).tolist())


# -- regions -------------------------------------------------------------------------------------


def test_requests_of_any_length_are_one_batch_and_come_back_from_it() -> None:
    reference = torch.arange(32.0).view(4, 4, 2)
    things = (Thing("red apple", "flat", LEFT), Thing("dog", "", MIDDLE, reference))
    asked = [RegionRequest(things, (Letter("H", LEFT), Letter("é", RIGHT)), "beach"), RegionRequest((), (), "")]
    batch = batched(asked, reference_dim=32)
    assert batch.mask.tolist() == [[True, True], [False, False]]
    assert torch.equal(batch.boxes[0], torch.tensor([LEFT, MIDDLE]))
    said = [(thing.phrase, thing.style) for thing in things]
    for i, (phrase, style) in enumerate(said):
        assert torch.equal(batch.phrases[0, i], phrase_states(phrase))
        assert torch.equal(batch.styles[0, i], phrase_states(style))
    assert torch.equal(batch.setting, torch.stack([phrase_states("beach"), torch.zeros(STATE_DIM)]))
    assert batch.letters.tolist() == [[ord("H"), ord("?")], [0, 0]]  # what is no ASCII is a question mark
    assert torch.equal(batch.letter_boxes[0], torch.tensor([LEFT, RIGHT]))
    assert batch.letter_mask.tolist() == [[True, True], [False, False]]
    assert batch.references is not None
    assert torch.equal(batch.references[0], torch.stack([torch.zeros(32), reference.flatten()]))
    assert not any(part[1].any() for part in vars(batch).values())


def test_without_letters_or_references_there_are_none() -> None:
    batch = batched([RegionRequest((Thing("", "", LEFT),))])
    assert batch.letters.shape == (1, 0)
    assert batch.references is None
    assert batched([RegionRequest(())]).mask.tolist() == [[False]]


def test_a_batch_is_repeated_as_a_whole() -> None:
    twice = regions(LEFT, RIGHT, letters="HI").repeat(2)
    for name, part in vars(regions(LEFT, RIGHT, letters="HI")).items():
        assert part is None or torch.equal(getattr(twice, name), torch.cat([part, part]))


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
        for field in ("phrases", "styles"):
            other = getattr(before, field).clone()
            other[0, which] = states(1, seed=7)[0]
            assert in_columns(binding(changed(before, **{field: other}))[0] - binding(before)[0]) == columns


def test_a_letter_is_heard_where_it_stands(binding: Binding) -> None:
    before, after = (regions(LEFT, letters=letters) for letters in ("AB", "AC"))
    assert in_columns(binding(after)[0] - binding(before)[0]) == {2, 3}


def test_the_setting_is_heard_everywhere(binding: Binding) -> None:
    before = regions(LEFT)
    moved = binding(changed(before, setting=states(1, seed=7)))[0] - binding(before)[0]
    assert (moved.abs().amax(-1) > 1e-5).all()


def test_padding_changes_nothing(binding: Binding) -> None:
    before = regions(LEFT, MIDDLE, letters="HI")
    longer, padding = regions(LEFT, MIDDLE, RIGHT, MIDDLE, letters="OUCH", seed=20), [True, True, False, False]
    padded = changed(
        longer,
        **{name: torch.cat([getattr(before, name), getattr(longer, name)[:, 2:]], 1)
           for name in ("phrases", "styles", "boxes", "letters", "letter_boxes")},
        mask=torch.tensor([padding]), letter_mask=torch.tensor([padding]), setting=before.setting,
    )  # fmt: skip
    for one, other in zip(binding(before), binding(padded), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_without_regions_there_is_the_setting_alone(binding: Binding) -> None:
    empty = changed(regions(LEFT, RIGHT), mask=torch.tensor([[False, False]]))
    tokens, hidden = binding(empty)
    white = (empty.setting - binding.phrase_mean) @ binding.phrase_whitening
    heard = F.gelu(binding.read_setting(binding.setting(white)[:, None] * binding.cell), approximate="tanh")
    assert torch.allclose(hidden, heard, atol=1e-5)
    assert torch.allclose(tokens, binding.out(heard), atol=1e-5)
    assert torch.equal(tokens, binding(changed(empty, phrases=states(1, 2, seed=5)))[0])


def heard(boxes: Tensor, cell: int, at_most: int) -> list[tuple[int, Tensor, Tensor]]:
    """Return what a cell hears, the nearest first: the region, its place and share."""
    share = covered(boxes[None], SIDE)[0, :, cell]
    order = sorted(range(len(boxes)), key=lambda i: (round(float(share[i]), 5), i), reverse=True)[:at_most]
    ones = [(i, boxes[i : i + 1], share[i : i + 1]) for i in order if share[i] > 0]
    return [(i, places(box, torch.tensor([cell]), part, SIDE)[0], part) for i, box, part in ones]


def test_the_tokens_are_those_of_a_loop_over_cells(binding: Binding) -> None:
    given = regions(LEFT, MIDDLE, (0.1, 0.1, 0.9, 0.45), letters="WORD")
    given = changed(given, references=torch.randn(1, 3, 32, generator=torch.Generator().manual_seed(4)))

    def white(state: Tensor) -> Tensor:
        return (state - binding.phrase_mean) @ binding.phrase_whitening

    rows = []
    for cell in range(SIDE * SIDE):
        h = binding.read_setting(binding.setting(white(given.setting[0])) * binding.cell[cell])
        for i, place, _ in heard(given.boxes[0], cell, 2):
            said = torch.cat([white(given.phrases[0, i]), white(given.styles[0, i])])
            code = binding.code(said) + binding.phrase(said) + binding.reference(given.references[0, i])
            h = h + binding.read(code * binding.place(place))
        for i, place, _ in heard(given.letter_boxes[0], cell, 3):
            product = binding.letter(given.letters[0, i]) * binding.letter_place(place)
            h = h + binding.read_letter(binding.letter_net(product))
        rows.append(F.gelu(h, approximate="tanh"))
    hidden = torch.stack(rows)
    assert torch.allclose(binding(given)[1][0], hidden, atol=1e-4)
    assert torch.allclose(binding(given)[0][0], binding.out(hidden), atol=1e-4)


def test_a_batch_says_what_its_samples_say_alone(binding: Binding) -> None:
    one, other = regions(LEFT, RIGHT, letters="HI"), regions(MIDDLE, LEFT, letters="NO", seed=30)
    both = Regions(
        **{name: None if part is None else torch.cat([part, vars(other)[name]]) for name, part in vars(one).items()}
    )
    assert torch.allclose(binding(both)[0], torch.cat([binding(one)[0], binding(other)[0]]), atol=1e-5)


def test_whitened_phrases_have_unit_covariance_and_no_phrase_stays_none() -> None:
    made, mix = Binding(2, 4, 2, wide=4, hidden=4), states(STATE_DIM, seed=1) / STATE_DIM**0.5
    phrases = states(1500, seed=2) @ mix + 0.5
    made.whiten(phrases, floor=0.0)
    white = made._white(phrases)
    assert torch.allclose(white.mean(0), torch.zeros(STATE_DIM), atol=1e-2)
    assert torch.allclose(torch.cov(white.T), torch.eye(STATE_DIM), atol=2e-2)
    assert not made._white(torch.zeros(3, STATE_DIM)).any()
    made.whiten(phrases)
    variances = torch.linalg.eigvalsh(torch.cov(made._white(phrases).T))
    assert variances.max() < 1.01
    assert variances.min() < 0.5  # axes in which phrases hardly differ are not enlarged


# -- the network ---------------------------------------------------------------------------------


def network() -> BoundDiT:
    return BoundDiT(d=2, side=SIDE, dim=16, depth=1, heads=2, wide=16, hidden=12)


def given(seed: int = 0) -> tuple[Tensor, Tensor]:
    noise = torch.Generator().manual_seed(seed)
    return torch.randn(1, SIDE * SIDE, 2, generator=noise), torch.tensor([0.6])


def test_at_construction_it_says_nothing() -> None:
    output = network()(*given(), regions(LEFT))
    assert not output.x_0.any()
    assert output.hidden.shape == (1, SIDE * SIDE, 16)


def test_it_hears_its_state_its_time_its_regions_and_what_joins_the_time() -> None:
    model, (x, t) = network(), given()
    spoken(model)
    before = model(x, t, regions(LEFT)).x_0
    assert not torch.allclose(before, model(x + 1, t, regions(LEFT)).x_0, atol=1e-3)
    assert not torch.allclose(before, model(x, t / 2, regions(LEFT)).x_0, atol=1e-3)
    assert not torch.allclose(before, model(x, t, regions(RIGHT)).x_0, atol=1e-3)
    assert not torch.allclose(before, model(x, t, regions(LEFT), None, torch.ones(1, 16)).x_0, atol=1e-3)
    assert torch.equal(before, model(x, t, regions(LEFT), torch.tensor([False])).x_0)  # there is no guidance


@pytest.mark.parametrize("t", [0.3, T_MIN, 0.01])
def test_its_velocity_points_from_the_x_0_that_it_sees_and_is_held_near_the_data(t: float) -> None:
    model, (x, _) = network(), given()
    spoken(model)
    v = velocity_fn(model, regions(LEFT))(x, torch.tensor([t]))
    x_0 = model(x, torch.tensor([t]), regions(LEFT)).x_0
    assert torch.allclose(paths.velocity_to_x0(x, v, torch.tensor([max(t, T_MIN)])), x_0, atol=1e-5)
