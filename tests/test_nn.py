"""Blocks, paths and samplers against closed forms."""

import math

import pytest
import torch
from jaxtyping import TypeCheckError
from torch.nn import functional as F

from scope.models.dit import DiT, velocity_fn
from scope.models.text_encoder import Conditioning, TextInput, encode, groups_of, letters_of
from scope.nn import paths, samplers
from scope.nn.ema import EMA
from scope.nn.transformer import Attention, patchify, to_grid, to_tokens, unpatchify


def test_unpatchify_inverts_patchify():
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(unpatchify(patchify(images, 16), 16, 32), images)


def test_tokens_and_grid_are_inverse_and_row_major():
    tokens = torch.arange(2 * 9 * 4.0).view(2, 9, 4)
    assert torch.equal(to_tokens(to_grid(tokens)), tokens)
    assert torch.equal(to_grid(tokens)[0, :, 1, 0], tokens[0, 3])


def test_a_call_of_another_shape_or_type_than_the_signature_s_fails_a_test():
    with pytest.raises(TypeCheckError, match="b c h w"):
        to_tokens(torch.zeros(2, 3))
    with pytest.raises(TypeCheckError, match="t"):
        paths.add_noise(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(3))


def test_attention_is_the_fused_one_of_torch():
    torch.manual_seed(0)
    attention = Attention(16, 2).double()
    x, mask = torch.randn(2, 5, 16, dtype=torch.float64), torch.tensor([[True] * 5, [True, True, False, True, False]])
    q = attention.q(x).view(2, 5, 2, 8).transpose(1, 2)
    k, v = attention.kv(x).view(2, 5, 2, 2, 8).permute(2, 0, 3, 1, 4)
    q, k = F.rms_norm(q, (8,)), F.rms_norm(k, (8,))
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
    assert torch.allclose(attention(x, mask=mask), attention.out(mixed.transpose(1, 2).reshape(2, 5, 16)))


def test_what_is_masked_changes_nothing():
    torch.manual_seed(0)
    attention, x = Attention(16, 2), torch.randn(1, 5, 16)
    mask = torch.tensor([[True, True, True, False, False]])
    other = x.clone()
    other[:, 3:] = torch.randn(1, 2, 16)
    assert torch.allclose(attention(x, mask=mask)[:, :3], attention(other, mask=mask)[:, :3], atol=1e-6)


def test_the_path_ends_at_data_and_at_noise_and_its_velocity_is_its_slope():
    x_0, eps = torch.randn(3, 2, 4, 4, dtype=torch.float64), torch.randn(3, 2, 4, 4, dtype=torch.float64)
    zero, one = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    assert torch.equal(paths.add_noise(x_0, eps, zero), x_0)
    assert torch.equal(paths.add_noise(x_0, eps, one), eps)
    t, h = torch.full((3,), 0.4, dtype=torch.float64), 1e-6
    slope = (paths.add_noise(x_0, eps, t + h) - paths.add_noise(x_0, eps, t - h)) / (2 * h)
    assert torch.allclose(slope, paths.velocity(x_0, eps))


def test_x_0_eps_and_velocity_say_each_other():
    x_0, eps = torch.randn(3, 2, 4, 4, dtype=torch.float64), torch.randn(3, 2, 4, 4, dtype=torch.float64)
    t = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    x_t, v = paths.add_noise(x_0, eps, t), paths.velocity(x_0, eps)
    assert torch.allclose(paths.velocity_to_x0(x_t, v, t), x_0)
    assert torch.allclose(paths.velocity_to_eps(x_t, v, t), eps)
    assert torch.allclose(paths.x0_to_velocity(x_t, x_0, t), v)
    assert torch.allclose(paths.eps_to_velocity(x_t, eps, t), v)


def test_reversing_time_twice_is_nothing():
    t, v = torch.rand(4), torch.randn(4, 2)
    again = paths.reverse_time(*paths.reverse_time(t, v))
    assert torch.allclose(again[0], t)
    assert torch.equal(again[1], v)


def test_logit_normal_times_have_the_median_of_their_mean():
    t = paths.logit_normal(20_000, torch.Generator().manual_seed(0), mean=1.0)
    assert t.median().item() == pytest.approx(1 / (1 + math.exp(-1)), abs=0.01)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_times_fall_from_one_to_zero(shift):
    t = samplers.times(10, shift)
    assert t[0] == 1
    assert t[-1] == 0
    assert (t.diff() < 0).all()


@pytest.mark.parametrize(("sampler", "order"), [(samplers.euler, 1), (samplers.heun, 2)])
def test_the_error_of_a_sampler_falls_at_its_order(sampler, order):
    """dx/dt = x cos(4t) from t = 1 to 0 has the solution x(0) = x(1) exp(-sin(4) / 4)."""
    start, exact = torch.ones(1, 1, dtype=torch.float64), math.exp(-math.sin(4) / 4)

    def velocity_fn(x, t):
        return x * torch.cos(4 * t.double())[:, None]

    errors = [abs(float(sampler(velocity_fn, start, samplers.times(n).double())) - exact) for n in (64, 128)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.2)


def test_guidance_at_one_is_the_conditional():
    a, b = torch.randn(2, 3), torch.randn(2, 3)
    assert torch.allclose(samplers.guided(a, b, 1.0), a)
    assert torch.allclose(samplers.guided(a, b, 0.0), b)


def test_ema_of_constant_weights_is_those_weights():
    layer = torch.nn.Linear(3, 3)
    ema = EMA(layer, 0.9)
    for step in range(5):
        ema.update(layer, step)
    assert torch.allclose(ema.model.weight, layer.weight)


def text(words: int = 5) -> Conditioning:
    mask = torch.ones(2, words, dtype=torch.bool)
    return Conditioning(torch.randn(2, words, 384), torch.zeros(2, words, dtype=torch.long), mask, None)


def randomised(model: DiT) -> DiT:
    """Zero-initialised heads would make every test of the output pass."""
    for p in model.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return model.eval()


def test_padding_of_the_text_changes_nothing():
    torch.manual_seed(0)
    model, x, t = randomised(DiT(4, 16, 32, 2, 2)), torch.randn(2, 16, 4), torch.rand(2)
    short = text()
    longer = Conditioning(
        torch.cat([short.hidden_states, torch.randn(2, 3, 384)], 1),
        torch.cat([short.groups, torch.ones(2, 3, dtype=torch.long)], 1),
        torch.cat([short.mask, torch.zeros(2, 3, dtype=torch.bool)], 1),
        torch.zeros(2, 8, dtype=torch.long),
    )
    assert torch.allclose(model(x, t, short).x_0, model(x, t, longer).x_0, atol=1e-4)


def test_text_that_is_left_out_is_not_read_and_groups_are():
    torch.manual_seed(0)
    model, x, t = randomised(DiT(4, 16, 32, 2, 2)), torch.randn(2, 16, 4), torch.rand(2)
    first, second, drop = text(), text(), torch.zeros(2, dtype=torch.bool)
    assert torch.allclose(model(x, t, first, drop).x_0, model(x, t, second, drop).x_0)
    assert not torch.allclose(model(x, t, first).x_0, model(x, t, second).x_0)
    grouped = Conditioning(first.hidden_states, first.groups + 1, first.mask, None)
    assert not torch.allclose(model(x, t, first).x_0, model(x, t, grouped).x_0)


@pytest.mark.parametrize("cfg_scale", [1.0, 3.0])
def test_guided_velocities_go_on_from_those_without_text_through_those_with_it(cfg_scale):
    torch.manual_seed(0)
    model, x, t, words = randomised(DiT(4, 16, 32, 2, 2)), torch.randn(2, 16, 4), torch.rand(2), text()
    unconditional = model(x, t, words, torch.tensor([False, False])).velocity
    expected = unconditional + cfg_scale * (model(x, t, words).velocity - unconditional)
    assert torch.allclose(velocity_fn(model, words, cfg_scale)(x, t), expected, atol=1e-4)


def test_a_token_belongs_to_the_span_that_holds_it():
    offsets = [(0, 0), (0, 3), (4, 7), (8, 13), (0, 0)]
    assert groups_of(offsets, [(0, 7, 1), (8, 13, 2)]) == [0, 1, 1, 2, 0]
    assert groups_of(offsets, [(0, 7, 99)]) == [0, 0, 0, 0, 0]


def test_letters_are_bytes_cut_and_padded():
    assert letters_of(["HI"]) == [72, 73, 0, 0, 0, 0, 0, 0]
    assert len(letters_of(["A WORD TOO LONG"])) == 8


def test_encoding_depends_on_the_word_order_and_not_on_its_neighbours():
    one, both = (
        encode([TextInput("a red cup")]),
        encode([TextInput("a red cup"), TextInput("a blue car beside a red cup on a table")]),
    )
    n = int(one.mask.sum())
    assert torch.allclose(one.hidden_states[0, :n], both.hidden_states[0, :n], atol=1e-4)
    swapped = encode([TextInput("a cup red")])
    assert not torch.allclose(one.hidden_states[0, :n], swapped.hidden_states[0, :n], atol=1e-2)


def test_the_velocity_of_the_generator_points_from_the_x_0_that_it_sees() -> None:
    torch.manual_seed(0)
    model = DiT(d=4, tokens=16, dim=32, depth=1, heads=2).eval()
    torch.nn.init.normal_(model.out.weight, std=0.1)
    text, x, t = encode([TextInput("a red apple")]).repeat(2), torch.randn(2, 16, 4), torch.tensor([0.3, 0.9])
    output = model(x, t, text)
    assert torch.allclose(paths.velocity_to_x0(x, output.velocity, t), output.x_0, atol=1e-5)


def test_a_generator_without_its_text_does_not_read_it() -> None:
    torch.manual_seed(0)
    model = DiT(d=4, tokens=16, dim=32, depth=1, heads=2).eval()
    torch.nn.init.normal_(model.out.weight, std=0.1)
    x, t, drop = torch.randn(1, 16, 4), torch.tensor([0.5]), torch.tensor([False])
    one, two = encode([TextInput("a red apple")]), encode([TextInput("a wet dog")])
    assert one.hidden_states.shape == two.hidden_states.shape
    assert torch.allclose(model(x, t, one, drop).x_0, model(x, t, two, drop).x_0, atol=1e-6)
    assert not torch.allclose(model(x, t, one).x_0, model(x, t, two).x_0, atol=1e-6)
