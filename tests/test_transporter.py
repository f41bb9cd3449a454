"""The transporter: its inverse, its Jacobian, and that no token sees itself or those after it."""

import pytest
import torch
from torch import Tensor, nn

from scope.models.transporter import AffineFlowBlock, KVCache, TrajectoryEmbedder, Transporter
from scope.nn import rope

LEVELS = (4, 8, 16)


def transporter(blocks: int = 2, tokens: int = 4, d: int = 2, seed: int = 0) -> Transporter:
    """One whose heads are no longer zero: an identity would pass every test here."""
    torch.manual_seed(seed)
    model = Transporter(d, tokens, 16, blocks, 2, 2, LEVELS).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model.requires_grad_(False)


def inputs(b: int, tokens: int = 4, d: int = 2, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(b, tokens, d, dtype=dtype), torch.rand(b, dtype=dtype), torch.tensor([4, 8, 16])[:b]


@pytest.mark.parametrize(("dtype", "limit"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
def test_the_inverse_undoes_the_transporter(dtype: torch.dtype, limit: float) -> None:
    model = transporter(tokens=16).to(dtype)
    x, t, T = inputs(3, tokens=16, dtype=dtype)
    u, _ = model(x, t, T)
    assert float((u - x).abs().max()) > 0.1
    assert float((model.inverse(u, t, T) - x).abs().max()) < limit
    assert float((model(model.inverse(u, t, T), t, T)[0] - u).abs().max()) < limit * 10


@pytest.mark.parametrize(("blocks", "backwards"), [(1, False), (1, True), (2, False), (3, False)])
def test_the_log_determinant_is_that_of_the_jacobian(blocks: int, backwards: bool) -> None:
    model = transporter(blocks).double()
    if backwards:
        model.flows = nn.ModuleList([transporter(2).double().flows[1]])
    x, t, T = inputs(1, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x, t, T)[0].flatten(), x).view(8, 8)
    _, expected = torch.linalg.slogdet(jacobian)
    assert float(model(x, t, T)[1] - expected) == pytest.approx(0, abs=1e-8)
    assert abs(float(expected)) > 0.01


def test_the_cached_inverse_is_the_uncached_one() -> None:
    flow = transporter(tokens=9).double().flows[1]
    assert isinstance(flow, AffineFlowBlock)
    u, cond = torch.randn(2, 9, 2, dtype=torch.float64), torch.randn(2, 16, dtype=torch.float64)
    x = torch.zeros_like(u)
    for n in reversed(range(9)):  # it runs backwards; each token asks the whole network anew
        once = flow(x, cond)[0]
        # x_n enters u_n only through the affine map, so two points give its scale and shift.
        there = x.clone()
        there[:, n] = 1
        slope = flow(there, cond)[0][:, n] - once[:, n]
        x[:, n] = (u[:, n] - once[:, n]) / slope
    assert torch.allclose(flow.inverse(u, cond), x, atol=1e-10)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_token_is_moved_by_those_before_it_alone(backwards: bool) -> None:
    flow = transporter().double().flows[int(backwards)]
    x, cond = torch.randn(1, 4, 2, dtype=torch.float64), torch.randn(1, 16, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow(x, cond)[0], x)[0, :, :, 0]  # (n, d, m, d)
    reach = jacobian.abs().sum((1, 3)) > 0
    allowed = torch.ones(4, 4).triu() if backwards else torch.ones(4, 4).tril()
    assert torch.equal(reach, allowed.bool())
    own = jacobian[torch.arange(4), :, torch.arange(4)]
    assert torch.equal(own != 0, torch.eye(2).bool().expand(4, 2, 2))  # each channel of it, too


def test_two_flows_let_every_token_move_every_other() -> None:
    model = transporter().double()
    x, t, T = inputs(1, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: model(x, t, T)[0], x)[0, :, :, 0]
    assert bool((jacobian.abs().sum((1, 3)) > 0).all())


def test_an_untrained_transporter_is_the_identity_and_so_is_one_without_blocks() -> None:
    x, t, T = inputs(3)
    for blocks in (0, 2):
        u, log_det = Transporter(2, 4, 16, blocks, 1, 2, LEVELS)(x, t, T)
        assert torch.equal(u, x)
        assert torch.equal(log_det, torch.zeros(3))


def test_the_time_and_the_number_of_steps_change_the_map() -> None:
    model, (x, t, T) = transporter(), inputs(1)
    u = model(x, t, T)[0]
    assert not torch.allclose(u, model(x, t + 0.1, T)[0])
    assert not torch.allclose(u, model(x, t, T * 2)[0])


def test_the_coupling_stays_in_full_precision_under_autocast() -> None:
    model, (x, t, T) = transporter(), inputs(3)
    exact, _ = model(x, t, T)
    with torch.autocast("cpu", torch.bfloat16):
        u, log_det = model(x, t, T)
        half, _ = model(x.bfloat16(), t, T)
    assert u.dtype == log_det.dtype == half.dtype == torch.float32
    assert float((u - exact).abs().max()) < 0.2


def test_scales_are_bounded() -> None:
    flow = transporter().flows[0]
    assert isinstance(flow, AffineFlowBlock)
    nn.init.constant_(flow.head.bias, 100.0)
    _, log_det = flow(torch.randn(1, 4, 2), torch.zeros(1, 16))
    assert float(log_det) == pytest.approx(-4.0 * 8, rel=1e-3)


def test_an_embedder_tells_every_number_of_steps_apart_and_starts_at_zero() -> None:
    embedder = TrajectoryEmbedder(8, (16, 4, 8))
    t, T = torch.full((3,), 0.5), torch.tensor([4, 8, 16])
    assert torch.equal(embedder(t, T), torch.zeros(3, 8))
    nn.init.normal_(embedder.steps.weight)
    assert torch.equal(embedder(t, T), embedder.steps.weight)


def test_rotary_scores_depend_on_distances_alone_and_turning_keeps_lengths() -> None:
    torch.manual_seed(0)
    q, k = torch.randn(8), torch.randn(8)
    angles = rope.angles(16, 8).double()
    turned_q, turned_k = (rope.apply_rope(x.double().expand(1, 1, 16, 8), angles)[0, 0] for x in (q, k))
    scores = (turned_q @ turned_k.T).view(4, 4, 4, 4)  # of (row, column) and (row, column)
    assert torch.allclose(scores[0, 0, 1, 2], scores[2, 1, 3, 3])
    assert not torch.allclose(scores[0, 0, 1, 2], scores[0, 0, 2, 1])
    assert torch.allclose(turned_q.norm(dim=-1), q.double().norm().expand(16))


def test_a_cache_keeps_its_order() -> None:
    cache, parts = KVCache(), [torch.randn(1, 1, 1, 2) for _ in range(3)]
    for part in parts:
        k, v = cache.update(part, -part)
    assert torch.equal(k, torch.cat(parts, 2))
    assert torch.equal(v, -k)
