"""The NTM generator: a picture in four steps, and how likely the model holds a picture to be for a request.

Normalizing Trajectory Models (arXiv 2605.08078), bound to regions (`scope.models.binding`); the mathematics is in
`scope.models.ntm`. The likelihood is that of latents, not of pixels. Departure: the last step is taken at its mean,
since what a model that saw little is unsure of would stand in the picture as noise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from PIL import Image
from torch import Tensor

from scope.errors import UsageError, WeightsError
from scope.generators import editing
from scope.generators.canvas import READS, heard, load_frozen, picture_of, side_of
from scope.generators.flow import SHIFT
from scope.generators.layouts import Layouts, load_layouts
from scope.generators.metadata import check_rests, vocabulary_of
from scope.models import diffusers_backbone, ntm
from scope.models.backbone import Backbone
from scope.models.binding import Binding, Heard
from scope.models.bound_dit import BoundDiT
from scope.models.dit import DiT
from scope.models.ntm import NTM, Denoiser, Kept
from scope.models.text_encoder import STATE_DIM
from scope.models.transporter import Transporter
from scope.nn import trajectory
from scope.nn.images import device, resized, to_tensor
from scope.nn.transformer import to_tokens
from scope.nn.weights import load_file, load_shipped
from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps, steps_within
from scope.specification import Model, Request
from scope.tokenizers.base import Autoencoder
from scope.weights import read_metadata, weights_path

T = 4
T_MIN = 0.02  # of sampling and of the likelihood; training draws it from [0.01, 0.05]
CHAINS = 4  # over which a likelihood is averaged
LN2 = math.log(2)


class Shape(Model):
    """How large a model is. Tokens are c numbers; `depth` counts layers.

    `backbone`: "bound" reads what cells hear, the others texts.
    """

    backbone: diffusers_backbone.Kind | Literal["bound", "dit"] = "dit"
    c: int = 256
    tokens: int = 64
    levels: tuple[int, ...] = (4, 8, 16)
    width: int = 256  # of the predictor, which is as large as the flow-matching model that it starts from
    depth: int = 5
    heads: int = 4
    flows: int = 2  # of the transporter
    layers: int = 3
    transporter_width: int = 192
    transporter_heads: int = 4
    denoiser_width: int = 192
    denoiser_depth: int = 2
    denoiser_heads: int = 4
    text_dim: int = STATE_DIM
    text_depth: int = 2
    spread: float = 0.3  # see `scope.models.ntm`; 0 is the paper's
    learned_sigma: bool = True
    shift: float | None = None  # of the times; None is the paper's


PRESETS = {
    "tiny": Shape(
        backbone="bound", c=8, width=32, depth=1, heads=2, layers=1, transporter_width=16, transporter_heads=2,
        denoiser_width=32, denoiser_depth=1, denoiser_heads=2,
    ),
    "pocket": Shape(backbone="bound", depth=3, shift=SHIFT),
    # The paper's model of 256 px: latents 16x16x32, text states of Qwen2.5-VL-7B.
    "full": Shape(
        backbone="flux", c=32, tokens=256, width=3072, depth=24, heads=24, layers=4, transporter_width=3072,
        transporter_heads=24, denoiser_width=3072, denoiser_depth=8, denoiser_heads=24, text_dim=3584, spread=0.0,
    ),
}  # fmt: skip


def build(shape: Shape, backbone: Backbone | None = None) -> NTM:
    """Return an untrained model; `backbone`: a flow-matching network to start from, in place of a new one."""
    denoiser = network(shape, shape.denoiser_width, shape.denoiser_depth, shape.denoiser_heads, sketched=False)
    transporter = Transporter(
        shape.c, shape.tokens, shape.transporter_width, shape.flows, shape.layers, shape.transporter_heads,
        shape.levels,
    )  # fmt: skip
    return NTM(
        backbone or predictor(shape), transporter, Denoiser(denoiser, shape.levels), shape.c, shape.levels,
        shape.spread, shape.learned_sigma, shape.shift,
    )  # fmt: skip


def predictor(shape: Shape) -> BoundDiT | DiT | diffusers_backbone.DiffusersBackbone:
    """Return an untrained predictor: what a flow-matching model of this shape is."""
    return network(shape, shape.width, shape.depth, shape.heads)


def network(
    shape: Shape, width: int, depth: int, heads: int, sketched: bool = True
) -> BoundDiT | DiT | diffusers_backbone.DiffusersBackbone:
    """Return an untrained network on the tokens of a shape; `sketched`: see `BoundDiT`, which others have not."""
    if shape.backbone == "bound":
        return BoundDiT(shape.c, math.isqrt(shape.tokens), width, depth, heads, sketched)
    if shape.backbone == "dit":
        return DiT(shape.c, shape.tokens, width, depth, heads, shape.text_depth)
    return diffusers_backbone.untrained(shape.backbone, shape.c, width, depth, heads, shape.text_dim)


@dataclass(frozen=True)
class Likelihood:
    """A lower bound of log p(latents | prompt) in nats; its negative in bits a dimension, in all and step by step."""

    nats: float
    bits_per_dim: float
    steps: tuple[float, ...]


class NTMGenerator:
    """Draws requests one by one, so that a picture depends on its own request alone."""

    name, version = "ntm", "5"
    reads = READS
    batch, parallel = 4, 1

    def __init__(
        self,
        model: NTM,
        binding: Binding,
        tokenizer: Autoencoder,
        weights: dict[str, str],
        vocabulary: Vocabulary | None = None,
        layouts: Layouts | None = None,
        decoder: str = "distilled",
    ) -> None:
        """Use a trained model, which knows the words of `vocabulary` (None: nobody knows which).

        `layouts` places what a request has no regions for; None: only the setting of such a request is drawn.
        `decoder` is a way to the clean state, one of `scope.models.ntm.DECODERS`.

        Raises: UsageError if there is no such way. WeightsError if the model draws latents of another shape than the
        tokenizer's.
        """
        if decoder not in ntm.DECODERS:
            raise UsageError(f"NTM has no decoder {decoder!r}; it has: {', '.join(ntm.DECODERS)}")
        if model.c != tokenizer.d:
            raise WeightsError(
                "these weights of NTM are of the latents of another tokenizer; use the two that came together, or "
                "train again: scope train ntm"
            )
        self.device, self.layouts, self.decoder = device(), layouts, decoder
        self.model = model.to(self.device).eval().requires_grad_(False)
        self.binding = binding.to(self.device).eval().requires_grad_(False)
        self.tokenizer, self.weights = tokenizer.to(self.device), weights | (layouts.weights if layouts else {})
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Return what the weights were trained to draw, as their file says; None where it does not."""
        return self._vocabulary

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request, in `Request.steps` steps (4, 8 or 16), with its likelihood.

        Raises: UsageError if the model was not trained for so many steps, if a size is asked for that is not drawn, or
        a reference is no picture. PromptError if a prompt that has no regions is too long.
        """
        return [self._draw(r, steps_within(on_step, i, len(requests))) for i, r in enumerate(requests)]

    def log_likelihood(self, image: Image.Image, prompt: Request | str, steps: int = T) -> Likelihood:
        """Return how likely the model holds a picture to be: the same number whenever it is asked.

        A request without regions is given those that the learned layout places. The bound is exact for each chain of
        ever noisier states of the latents at t = 0.02; four are averaged, always the same ones.

        Raises: UsageError if the model was not trained for so many steps. PromptError if the prompt is too long.
        ScopeError if the latents are not finite.
        """
        request = prompt if isinstance(prompt, Request) else Request(text=prompt)
        return self._likelihood(to_tokens(self._encode(image)), heard(request, self.layouts, self.binding), steps)

    @torch.no_grad()
    def _likelihood(self, x_0: Tensor, said: Heard, steps: int) -> Likelihood:
        said, x_0 = said.repeat(CHAINS), x_0.repeat(CHAINS, 1, 1)
        eps = _noise(self.model.check_steps(steps), x_0.shape, seed=0).to(self.device)
        terms = ntm.bound(self.model, x_0, T_MIN, steps, said, eps).double().mean(1)
        bits = terms / (x_0[0].numel() * LN2)
        return Likelihood(-float(terms.sum()), float(bits.sum()), tuple(bits.tolist()))

    @torch.no_grad()
    def _draw(self, request: Request, on_step: OnStep) -> Picture:
        side_of(request)
        steps = self.model.check_steps(request.steps or T)
        said, tokens = heard(request, self.layouts, self.binding), (self.tokenizer.size // self.tokenizer.patch) ** 2
        noise = _noise(steps, (1, tokens, self.tokenizer.d), request.seed).to(self.device)
        draft, known, kept = None, None, None
        if request.edit is not None:
            draft = editing.opened(request.edit, self.tokenizer, self.device)
            known, kept = self._known(draft, noise, request.edit.strength)
        x_0 = ntm.draw(self.model, said, noise, T_MIN, 1.0, self.decoder, True, known, on_step, kept)
        picture = picture_of(self.tokenizer, x_0, request)
        picture = picture if draft is None else editing.joined(draft, picture)
        return Picture(picture, self._likelihood(to_tokens(self._encode(picture)), said, steps).nats)

    def _known(self, draft: editing.Draft, noise: Tensor, strength: float) -> tuple[Tensor, Kept | None]:
        """Return a draft's states from the noise down to the level nearest to `strength`, and what of it stays."""
        t, steps = self.model.schedule(len(noise) - 1, noise[0], T_MIN)
        u, _ = ntm.transport_states(self.model, trajectory.chain(draft.x_0, t, noise), t, steps)
        lowest = 1 + int((t[1:, 0] - strength).abs().argmin())  # below it nothing would be left to draw
        return u[lowest:], None if draft.changes is None else Kept(u, draft.changes)

    @torch.no_grad()
    def _encode(self, image: Image.Image) -> Tensor:
        """Return the latents (1, c, h, w) of a picture, brought to the size that the tokenizer reads."""
        return self.tokenizer.encode(to_tensor([resized(image, self.tokenizer.size)], self.device))


def _noise(steps: int, shape: Sequence[int], seed: int) -> Tensor:
    """Return the noise (steps + 1, ...) of a trajectory, drawn on the CPU: every device starts from the same."""
    return torch.randn((steps + 1, *shape), generator=torch.Generator().manual_seed(seed))


def load(weights: Path | None = None, binding: Path | None = None, tokenizer: Path | None = None) -> NTMGenerator:
    """Return the generator with the weights of files, or the shipped ones.

    Raises: WeightsError if weights are missing, damaged, of another preset, or were not trained on one another.
    """
    frozen = load_frozen(binding, tokenizer)
    model = build(PRESETS["pocket"])
    sha256 = load_shipped(model, "ntm") if weights is None else load_file(model, weights)
    metadata = read_metadata(weights or weights_path("ntm"))
    check_rests(metadata, frozen.sha256, "ntm")
    return NTMGenerator(
        model, frozen.binding, frozen.tokenizer, {"ntm": sha256, **frozen.weights}, vocabulary_of(metadata),
        load_layouts(),
    )  # fmt: skip
