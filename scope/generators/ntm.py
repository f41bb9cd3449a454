"""The NTM generator: a picture in four steps, and how likely the model holds a picture to be for a prompt.

Normalizing Trajectory Models (arXiv 2605.08078) on PAE latents; the mathematics is in `scope.models.ntm`. The
likelihood is that of latents, not of pixels. Departure: the last step is taken at its mean, since what a model that
saw little is unsure of would stand in the picture as noise.
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
from scope.generators.conditioning import encode_request
from scope.generators.flow import SHIFT
from scope.generators.metadata import check_tokenizer, vocabulary_of
from scope.models import diffusers_backbone, ntm
from scope.models.backbone import Backbone
from scope.models.dit import DiT
from scope.models.ntm import NTM, Denoiser
from scope.models.text_encoder import STATE_DIM
from scope.models.transporter import Transporter
from scope.nn import trajectory
from scope.nn.images import device, resized, to_pixels, to_tensor
from scope.nn.transformer import to_grid, to_tokens
from scope.nn.weights import load_file, load_shipped
from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps, steps_within
from scope.specification import Model, Request
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import load as load_pae
from scope.weights import read_metadata, weights_path

T, CFG_SCALE = 4, 2.0
T_MIN = 0.02  # of sampling and of the likelihood; training draws it from [0.01, 0.05]
CHAINS = 4  # over which a likelihood is averaged
LN2 = math.log(2)


class Shape(Model):
    """How large a model is. Tokens are c numbers; `depth` counts layers."""

    backbone: diffusers_backbone.Kind | Literal["dit"] = "dit"
    c: int = 128
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
        c=8, width=32, depth=1, heads=2, layers=1, transporter_width=16, transporter_heads=2, denoiser_width=32,
        denoiser_depth=1, denoiser_heads=2,
    ),
    "pocket": Shape(shift=SHIFT),
    # The paper's model of 256 px: latents 16x16x32, text states of Qwen2.5-VL-7B.
    "full": Shape(
        backbone="flux", c=32, tokens=256, width=3072, depth=24, heads=24, layers=4, transporter_width=3072,
        transporter_heads=24, denoiser_width=3072, denoiser_depth=8, denoiser_heads=24, text_dim=3584, spread=0.0,
    ),
}  # fmt: skip


def build(shape: Shape, backbone: Backbone | None = None) -> NTM:
    """Return an untrained model; `backbone`: a flow-matching network to start from, in place of a new one."""
    denoiser = network(shape, shape.denoiser_width, shape.denoiser_depth, shape.denoiser_heads)
    transporter = Transporter(
        shape.c, shape.tokens, shape.transporter_width, shape.flows, shape.layers, shape.transporter_heads,
        shape.levels,
    )  # fmt: skip
    return NTM(
        backbone or predictor(shape), transporter, Denoiser(denoiser, shape.levels), shape.c, shape.levels,
        shape.spread, shape.learned_sigma, shape.shift,
    )  # fmt: skip


def predictor(shape: Shape) -> DiT | diffusers_backbone.DiffusersBackbone:
    """Return an untrained predictor: what a flow-matching model of this shape is."""
    return network(shape, shape.width, shape.depth, shape.heads)


def network(shape: Shape, width: int, depth: int, heads: int) -> DiT | diffusers_backbone.DiffusersBackbone:
    """Return an untrained network on the tokens of a shape."""
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

    name, version = "ntm", "1"
    reads = frozenset({"edit", "steps", "cfg_scale"})
    batch, parallel = 4, 1

    def __init__(
        self,
        model: NTM,
        tokenizer: Autoencoder,
        weights: dict[str, str],
        vocabulary: Vocabulary | None = None,
        decoder: str = "distilled",
    ) -> None:
        """Use a trained model, which knows the words of `vocabulary` (None: nobody knows which).

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
        self.device = device()
        self.model = model.to(self.device).eval().requires_grad_(False)
        self.tokenizer, self.weights, self.decoder = tokenizer.to(self.device), weights, decoder
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Return what the weights were trained to draw, as their file says; None where it does not."""
        return self._vocabulary

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request, in `Request.steps` steps (4, 8 or 16), with its likelihood.

        Raises: UsageError if the model was not trained for so many steps. PromptError if a prompt is too long.
        """
        return [self._draw(r, steps_within(on_step, i, len(requests))) for i, r in enumerate(requests)]

    def log_likelihood(self, image: Image.Image, prompt: Request | str, steps: int = T) -> Likelihood:
        """Return how likely the model holds a picture to be: the same number whenever it is asked.

        The bound is exact for each chain of ever noisier states of the latents at t = 0.02; four are averaged, always
        the same ones.

        Raises: UsageError if the model was not trained for so many steps. PromptError if the prompt is too long.
        ScopeError if the latents are not finite.
        """
        request = prompt if isinstance(prompt, Request) else Request(text=prompt)
        text = encode_request(request).to(self.device).repeat(CHAINS)
        x_0 = to_tokens(self._encode(image)).repeat(CHAINS, 1, 1)
        eps = _noise(self.model.check_steps(steps), x_0.shape, seed=0).to(self.device)
        with torch.no_grad():
            terms = ntm.bound(self.model, x_0, T_MIN, steps, text, eps).double().mean(1)
        bits = terms / (x_0[0].numel() * LN2)
        return Likelihood(-float(terms.sum()), float(bits.sum()), tuple(bits.tolist()))

    @torch.no_grad()
    def _draw(self, request: Request, on_step: OnStep) -> Picture:
        steps = self.model.check_steps(request.steps or T)
        text, tokens = encode_request(request).to(self.device), (self.tokenizer.size // self.tokenizer.patch) ** 2
        noise = _noise(steps, (1, tokens, self.tokenizer.d), request.seed).to(self.device)
        scale = CFG_SCALE if request.cfg_scale is None else request.cfg_scale
        known = self._known(request, noise)
        x_0 = ntm.draw(self.model, text, noise, T_MIN, scale, self.decoder, True, known, on_step)
        image = Image.fromarray(to_pixels(self.tokenizer.decode(to_grid(x_0)))[0])
        return Picture(image, self.log_likelihood(image, request, steps).nats)

    def _known(self, request: Request, noise: Tensor) -> Tensor | None:
        """Return the states of a draft from the noise down to the level nearest to `strength`; None: there is none."""
        if request.edit is None:
            return None
        t, steps = self.model.schedule(len(noise) - 1, noise[0], T_MIN)
        with Image.open(request.edit.image.path) as draft:
            x = trajectory.chain(to_tokens(self._encode(draft)), t, noise)
        lowest = 1 + int((t[1:, 0] - request.edit.strength).abs().argmin())  # below it nothing would be left to draw
        return ntm.transport_states(self.model, x, t, steps)[0][lowest:]

    @torch.no_grad()
    def _encode(self, image: Image.Image) -> Tensor:
        """Return the latents (1, c, h, w) of a picture, brought to the size that the tokenizer reads."""
        return self.tokenizer.encode(to_tensor([resized(image, self.tokenizer.size)], self.device))


def _noise(steps: int, shape: Sequence[int], seed: int) -> Tensor:
    """Return the noise (steps + 1, ...) of a trajectory, drawn on the CPU: every device starts from the same."""
    return torch.randn((steps + 1, *shape), generator=torch.Generator().manual_seed(seed))


def load(weights: Path | None = None, tokenizer: Path | None = None) -> NTMGenerator:
    """Return the generator with the weights of a file, or the shipped ones.

    Without a `tokenizer`, a file of weights of the pocket PAE, the shipped one is used if the weights were trained on
    it. One that is given is used whatever they were trained on.

    Raises: WeightsError if weights are missing, damaged, of another preset, or of another tokenizer.
    """
    pae, pae_sha256 = load_pae(tokenizer)
    model = build(PRESETS["pocket"])
    sha256 = load_shipped(model, "ntm") if weights is None else load_file(model, weights)
    metadata = read_metadata(weights or weights_path("ntm"))
    if tokenizer is None:
        check_tokenizer(metadata, pae_sha256, "ntm")
    return NTMGenerator(model, pae, {"ntm": sha256, "pae": pae_sha256}, vocabulary_of(metadata))
