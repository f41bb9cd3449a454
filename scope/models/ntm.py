"""NTM (Normalizing Trajectory Models, arXiv 2605.08078): every reverse step is a conditional normalizing flow.

    u = f_T(x, t)                        transporter: invertible, shared by all states of a trajectory
    p(u_s | u_t, y) = N(mu, sigma^2)     predictor: sees the noisier state only, all tokens at once
    -log p(x_s | x_t, y) = sum [z^2 / 2 + log sigma + log(2 pi) / 2] - log|det df_T/dx_s|                     (3.3)
                      z  = (u_s - mu) / sigma
    -log p(x_0..x_T | y) = -log N(x_T) + sum over k of -log p(x_{k-1} | x_k, y)                             (3.4)

    mu = A u_t + B x_0(u_t),  sigma = C' exp(delta)     A, B, C of the posterior (trajectory.py), delta zero at first

so that with f_T = id and a flow-matching network for x_0 it starts as that network's ancestral sampler.

Departures: C'^2 = C^2 + spread B^2 t^2 / (t^2 + (1 - t)^2), which is C for spread = 0 (the paper), and for spread = 1
the deviation of x_s | x_t of unit Gaussian data: with C alone the last step asks for an x_0 that is right to 2 % and
its likelihood starts tens of nats a dimension too low. The same form of mu serves a network from scratch. Levels are
samples of a batch: nothing attends from one to another, since the text's "non-causal across timestep levels" would
let the predictor see what it predicts. The state at t = 1 is noise already, and is not transported. `shift` stands for
the e^m of the times, which the paper takes from the number of tokens alone: a token of 256 numbers shows what it is at
higher noise than one of 32.

Shapes: b batch, n tokens, c channels; K + 1 states of a trajectory come first, the cleanest at index 0.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from scope.errors import ScopeError, UsageError
from scope.models.backbone import Backbone, Condition
from scope.models.transporter import TrajectoryEmbedder, Transporter
from scope.nn import gaussian, trajectory
from scope.nn.gaussian import Gaussian
from scope.nn.paths import match_dims
from scope.nn.transformer import zero_init

OnStep = Callable[[int, int], None]

State = Float[Tensor, "b n c"]
States = Float[Tensor, "states b n c"]  # of one trajectory a sample, the cleanest first
Time = Float[Tensor, " b"]
Times = Float[Tensor, "states b"]
Steps = Int[Tensor, " b"]  # T, the number of steps of each trajectory: one of the model's levels
Mask = Bool[Tensor, " b"]


class Denoiser(nn.Module):
    """g_phi: what trajectory denoising makes of u_0, learned, so that it takes neither an inverse nor gradients."""

    def __init__(self, backbone: Backbone, levels: Sequence[int]) -> None:
        super().__init__()
        self.backbone, self.t_embedder = backbone, TrajectoryEmbedder(backbone.dim, levels)

    def forward(self, u_0: State, t: Time, T: Steps, text: Condition) -> State:
        """Return x_0; the network says how much it differs from u_0."""
        return u_0 + self.backbone(u_0, t, text, extra_cond=self.t_embedder(t, T)).x_0


class NTM(nn.Module):
    """Transporter, predictor, and the denoiser, which is of use once it has been trained."""

    def __init__(
        self,
        backbone: Backbone,
        transporter: Transporter,
        denoiser: Denoiser,
        c: int,
        levels: Sequence[int],
        spread: float = 0.0,
        learned_sigma: bool = True,
        shift: float | None = None,
    ) -> None:
        super().__init__()
        self.backbone, self.transporter, self.denoiser = backbone, transporter, denoiser
        self.c, self.levels, self.spread, self.learned_sigma = c, tuple(sorted(levels)), spread, learned_sigma
        self.shift = shift
        self.t_embedder = TrajectoryEmbedder(backbone.dim, levels)
        self.delta = zero_init(nn.Linear(backbone.dim, c))

    def check_steps(self, T: int) -> int:
        """Return T.

        Raises: UsageError if the model was not trained for it.
        """
        if T not in self.levels:
            raise UsageError(f"NTM draws in {', '.join(map(str, self.levels))} steps; {T} were asked for")
        return T

    def times(self, T: int, tokens: int, t_min: Time) -> Times:
        """Return the T + 1 times of each sample, from `t_min` to 1."""
        return trajectory.times(T, tokens, t_min, self.shift)

    def schedule(self, T: int, like: State, t_min: float) -> tuple[Times, Steps]:
        """Return the T + 1 times of trajectories of states of this shape, and their numbers of steps.

        Raises: UsageError if the model was not trained for T steps.
        """
        b, n, _ = like.shape
        t = self.times(self.check_steps(T), n, torch.full((b,), t_min, device=like.device))
        return t, torch.full((b,), T, device=like.device)

    def transport(self, x: State, t: Time, T: Steps) -> tuple[State, Float[Tensor, " b"]]:
        """Return u of x and log|det du/dx|."""
        u, log_det = self.transporter(x, t, T)
        noise = t >= 1
        return torch.where(match_dims(noise, x), x, u), torch.where(noise, 0.0, log_det)

    def predict(
        self, u_t: State, t: Time, s: Time, T: Steps, text: Condition, cond_mask: Mask | None = None
    ) -> Gaussian:
        """Return p(u_s | u_t, text); where `cond_mask` is False the text is not read."""
        output = self.backbone(u_t, t, text, cond_mask, self.t_embedder(s, T))
        A, B, C = trajectory.posterior(t, s)
        mean = match_dims(A, u_t) * u_t + match_dims(B, u_t) * output.x_0
        unsure = t.square() / (t.square() + (1 - t).square())
        log_sigma = match_dims(0.5 * torch.log(C.square() + self.spread * B.square() * unsure), u_t).expand_as(mean)
        return Gaussian(mean, log_sigma + self.delta(output.hidden).float() if self.learned_sigma else log_sigma)

    def guided(self, u_t: State, t: Time, s: Time, T: Steps, text: Condition, cfg_scale: float = 1.0) -> Gaussian:
        """Return p(u_s | u_t, text)^(1 + w) / p(u_s | u_t)^w for w = cfg_scale - 1."""
        if cfg_scale == 1:
            return self.predict(u_t, t, s, T, text)
        cond_mask = torch.arange(2 * len(u_t), device=u_t.device) < len(u_t)
        both = self.predict(u_t.repeat(2, 1, 1), t.repeat(2), s.repeat(2), T.repeat(2), text.repeat(2), cond_mask)
        conditional, unconditional = zip(*(part.chunk(2) for part in both), strict=True)
        return gaussian.guided(Gaussian(*conditional), Gaussian(*unconditional), cfg_scale)


# -- likelihood ----------------------------------------------------------------------------------


class ReverseSteps(NamedTuple):
    """The reverse steps between K + 1 neighbouring states: each is predicted from the one above it."""

    steps: Gaussian  # (K * b, n, c), of u_0..u_{K-1}
    u: States
    log_det: Float[Tensor, "states b"]

    def nll(self) -> Float[Tensor, "steps b"]:
        """Return -log p(x_k | x_{k+1}) in nats: each Jacobian counts once, where its state is predicted."""
        nll = self.steps.nll(_join(self.u[:-1]))
        return rearrange(nll, "(k b) -> k b", b=self.u.shape[1]) - self.log_det[:-1]


def reverse_steps(
    model: NTM, x: States, t: Times, T: Steps, text: Condition, cond_mask: Mask | None = None
) -> ReverseSteps:
    """Return the reverse steps between states x: a pair, or a whole trajectory; all at once."""
    K = len(x) - 1
    u, log_det = transport_states(model, x, t, T)
    masks = None if cond_mask is None else cond_mask.repeat(K)
    steps = model.predict(_join(u[1:]), _join(t[1:]), _join(t[:-1]), T.repeat(K), text.repeat(K), masks)
    return ReverseSteps(steps, u, log_det)


def transport_states(model: NTM, x: States, t: Times, T: Steps) -> tuple[States, Float[Tensor, "states b"]]:
    """Return u and log|det du/dx| of states; the top of a whole trajectory costs nothing."""
    below = len(x) - 1 if bool((t[-1] >= 1).all()) else len(x)
    u, log_det = (_split(part, below) for part in model.transport(_join(x[:below]), _join(t[:below]), T.repeat(below)))
    return torch.cat([u, x[below:].to(u.dtype)]), torch.cat([log_det, torch.zeros_like(log_det[: len(x) - below])])


def _join(levels: Float[Tensor, "k b ..."]) -> Float[Tensor, "k*b ..."]:
    """Return levels as samples of one batch."""
    return rearrange(levels, "k b ... -> (k b) ...")


def _split(batch: Float[Tensor, "kb ..."], k: int) -> Float[Tensor, "{k} b ..."]:
    """Undo `_join`."""
    return rearrange(batch, "(k b) ... -> k b ...", k=k)


def bound(
    model: NTM, x_0: State, t_min: float, T: int, text: Condition, eps: Float[Tensor, "{T}+1 b n c"]
) -> Float[Tensor, "{T} b"]:
    """Return the steps' terms in nats of a bound of -log p(x_{t_min} | text); the first is the cleanest.

    They sum to E_q[-log p(x_0..x_T) + log q(x_1..x_T | x_0)] on one chain, drawn by eps. The last
    kernel of the chain is N(0, I): it cancels the prior.

    Raises: UsageError if the model was not trained for T steps. ScopeError if the states are not finite.
    """
    t, steps = model.schedule(T, x_0, t_min)
    if not torch.isfinite(x_0).all():
        raise ScopeError("the latents hold NaN or infinity, so they have no likelihood; check the picture's tokenizer")
    x = trajectory.chain(x_0, t, eps)
    nll = reverse_steps(model, x, t, steps, text).nll()
    return torch.cat([nll[:-1] - trajectory.forward_nll(x[:-1], t[:-1]), nll[-1:]])


# -- sampling ------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """Tokens of a draft that stay what they are at every level, while the others are drawn anew."""

    u: States
    changes: Bool[Tensor, " n"]  # which tokens are drawn

    def among(self, drawn: State, level: int) -> State:
        """Return what is drawn, and the draft's own where that stays."""
        return torch.where(self.changes[:, None], drawn, self.u[level])


@torch.no_grad()
def sample(
    model: NTM,
    u: Float[Tensor, "known b n c"],
    t: Times,
    T: Steps,
    text: Condition,
    noise: States,
    cfg_scale: float = 1.0,
    on_step: OnStep | None = None,
    kept: Kept | None = None,
) -> States:
    """Return a whole trajectory in u-space, cleanest first, below the states u that are known.

    u are its noisiest states: the noise alone, or more to go on from a draft. `noise` stands for the draws of each
    level, t are its times. `kept` are tokens that are not drawn.
    """
    todo = len(t) - len(u)
    for k in reversed(range(todo)):
        step = model.guided(u[0], t[k + 1], t[k], T, text, cfg_scale)
        drawn = step.at(noise[k])
        u = torch.cat([(drawn if kept is None else kept.among(drawn, k))[None], u])
        if on_step:
            on_step(todo - k, todo)
    return u


def decode_inverse(model: NTM, u: States, t: Times, T: Steps, text: Condition) -> State:
    """Return the state at t_min, scaled as if it were clean: one inverse, token by token."""
    return model.transporter.inverse(u[0], t[0], T) / (1 - match_dims(t[0], u[0]))


def decode_denoised(model: NTM, u: States, t: Times, T: Steps, text: Condition) -> State:
    """Return what the cleanest state says of x_0 after trajectory denoising (Algorithm 3)."""
    return denoised_states(model, invert_states(model, u, t, T), t, T, text)[0]


@torch.no_grad()
def decode_distilled(model: NTM, u: States, t: Times, T: Steps, text: Condition) -> State:
    """Return what g_phi makes of u_0."""
    clean: Tensor = model.denoiser(u[0], t[0], T, text)
    return clean


def invert_states(model: NTM, u: States, t: Times, T: Steps) -> States:
    """Return the states x of a whole trajectory u, whose top is noise and stays what it is."""
    K = len(u) - 1
    x = model.transporter.inverse(_join(u[:-1]), _join(t[:-1]), T.repeat(K))
    return torch.cat([_split(x, K), u[-1:]])


def denoised_states(model: NTM, x: States, t: Times, T: Steps, text: Condition) -> Float[Tensor, "states-1 b n c"]:
    """Return what each state of a whole trajectory but the noise says of x_0.

    Their spread tells how exact the model is.
    """
    with torch.enable_grad():
        known = x[:-1].detach().requires_grad_()
        loss = reverse_steps(model, torch.cat([known, x[-1:]]), t, T, text).nll().sum()
        (gradient,) = torch.autograd.grad(loss, known)
    return trajectory.denoised(known.detach(), gradient, t[:-1])


#: Ways to a clean state from a whole trajectory u at times t.
DECODERS: dict[str, Callable[[NTM, States, Times, Steps, Condition], State]] = {
    "inverse": decode_inverse,
    "denoised": decode_denoised,
    "distilled": decode_distilled,
}


def draw(
    model: NTM,
    text: Condition,
    noise: States,
    t_min: float,
    cfg_scale: float = 1.0,
    decoder: str = "distilled",
    mean_last: bool = False,
    known: Float[Tensor, "known b n c"] | None = None,
    on_step: OnStep | None = None,
    kept: Kept | None = None,
) -> State:
    """Draw clean tokens in T steps from T + 1 draws of noise, one a level, the noisiest last.

    `mean_last` takes the last step at its mean. `known` are the noisiest states in u-space, where there are more than
    the noise; `kept` are tokens that are not drawn.

    Raises: UsageError if the model was not trained for T steps.
    """
    t, T = model.schedule(len(noise) - 1, noise[0], t_min)
    if mean_last:
        noise = torch.cat([torch.zeros_like(noise[:1]), noise[1:]])
    u = sample(model, noise[-1:] if known is None else known, t, T, text, noise, cfg_scale, on_step, kept)
    return DECODERS[decoder](model, u, t, T, text)
