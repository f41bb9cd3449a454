"""What a Gaussian step loses on a world with an exact answer, and what NTM wins back of it (arXiv 2605.08078).

Two networks of one kind learn the trajectories of `two_modes`, for 1, 2, 4 and 8 steps at once: one with a learned
diagonal Gaussian a step, one with a transporter of two blocks before it. Both are scored in nats a trajectory
above the exact density, on the same held-out chains. `in_turn` is the loss of the best Gaussian that is given x_t and
the tokens before: what one scan of an affine flow cannot mend. Two scans can lose less.
"""

import time

import torch
from torch import Tensor

from scope.benchmarks.experiments.two_modes import TwoModes
from scope.benchmarks.results import Metric, Results, Row
from scope.models import ntm
from scope.models.dit import DiT
from scope.models.ntm import NTM, Denoiser
from scope.models.text_encoder import STATE_DIM, Conditioning
from scope.models.transporter import Transporter
from scope.nn import trajectory

LEVELS = (1, 2, 4, 8)
T_MIN = 0.02
STEPS, BATCH, LR = 2000, 64, 2e-3
HELD_OUT = 4096  # trajectories
SEED = 17


def empty_text(b: int) -> Conditioning:
    """Return the text of samples that have none: one token that is always the same."""
    one = torch.ones(b, 1, dtype=torch.long)
    return Conditioning(torch.zeros(b, 1, STATE_DIM), one * 0, one > 0, None)


def build(world: TwoModes, blocks: int) -> NTM:
    """Return an untrained model with a transporter of so many blocks; 0 is a diagonal Gaussian a step."""
    backbone, unused = (DiT(1, world.tokens, 32, depth, 2, 0) for depth in (2, 0))
    transporter = Transporter(1, world.tokens, 32, blocks, 2, 2, LEVELS)
    return NTM(backbone, transporter, Denoiser(unused, LEVELS), 1, LEVELS, spread=1.0)


def chains(world: TwoModes, T: int, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return states (T + 1, count, tokens, 1) and their times (T + 1, count)."""
    generator = torch.Generator().manual_seed(seed)
    t = trajectory.times(T, world.tokens, torch.full((count,), T_MIN))
    eps = torch.randn(T + 1, count, world.tokens, 1, generator=generator)
    return trajectory.chain(world.draw(count, generator), t, eps), t


def fit(world: TwoModes, blocks: int, steps: int = STEPS, batch: int = BATCH, seed: int = SEED) -> NTM:
    """Return a model trained on chains of the world; batches of each number of steps take turns."""
    torch.manual_seed(seed)
    model = build(world, blocks)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.95), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LR, steps, pct_start=0.1)
    for step in range(steps):
        T = LEVELS[step % len(LEVELS)]
        x, t = chains(world, T, batch, 1_000_003 * seed + step)
        nll = ntm.reverse_steps(model, x, t, torch.full((batch,), T), empty_text(batch)).nll()
        optimizer.zero_grad()
        (nll.sum(0).mean() / world.tokens).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval().requires_grad_(False)


@torch.no_grad()
def excess_nll(world: TwoModes, model: NTM, T: int, count: int = HELD_OUT) -> Metric:
    """Return the nats a trajectory of the model above the exact density, on held-out chains."""
    x, t = chains(world, T, count, SEED)  # training's seeds are larger
    nll = ntm.reverse_steps(model, x, t, torch.full((count,), T), empty_text(count)).nll().sum(0)
    at = t[:, 0].double().tolist()
    exact = torch.stack([world.nll(x[k].double(), x[k + 1].double(), at[k + 1], at[k]) for k in range(T)]).sum(0)
    excess = nll - exact
    value, margin = float(excess.mean()), 1.96 * float(excess.std()) / count**0.5
    return Metric(value=value, ci=(value - margin, value + margin), n=count)


def measure() -> Results:
    """Return, for each number of steps, the loss of the best and of the learned Gaussian, and of NTM."""
    world, began = TwoModes(), time.monotonic()
    gaussian, flow = (fit(world, blocks) for blocks in (0, 2))
    rows = []
    for T in LEVELS:
        times = trajectory.times(T, world.tokens, torch.tensor([T_MIN], dtype=torch.float64))[:, 0].tolist()
        metrics = {
            "best_gaussian": Metric(value=world.gaussian_kl(times)),
            "learned_gaussian": excess_nll(world, gaussian, T),
            "ntm": excess_nll(world, flow, T),
            "in_turn": Metric(value=world.autoregressive_gaussian_kl(times)),
        }
        rows.append(Row(name=f"t{T}", metrics=metrics))
    return Results(
        name="ntm_toy", command="scope bench ntm_toy", seeds=(SEED,), hours=(time.monotonic() - began) / 3600,
        n_expected=HELD_OUT, rows=tuple(rows),
    )  # fmt: skip
