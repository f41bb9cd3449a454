"""The flow-matching generator: a text-conditioned DiT on a tokenizer's latents, sampled with guidance.

The picture comes from the tokenizer's decoder. What the weights can draw stands in their file (`metadata.py`).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from scope.errors import WeightsError
from scope.generators.conditioning import encode_request
from scope.generators.metadata import check_tokenizer, vocabulary_of
from scope.models.dit import DiT, velocity_fn
from scope.nn import paths, samplers
from scope.nn.images import device, resized, to_pixels, to_tensor
from scope.nn.transformer import to_grid, to_tokens
from scope.nn.weights import load_file, load_shipped
from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps, steps_within
from scope.specification import Request
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import load as load_pae
from scope.weights import read_metadata, weights_path

STEPS, CFG_SCALE = 30, 2.0
SHIFT = 5.0  # of the times: nouns and places are decided near the noise, so most steps are spent there


class FlowGenerator:
    """Draws requests one by one, so that a picture depends on its own request alone."""

    name, version = "flow", "4"
    reads = frozenset({"edit", "steps", "cfg_scale"})
    batch, parallel = 4, 1

    def __init__(
        self,
        model: DiT,
        tokenizer: Autoencoder,
        weights: dict[str, str],
        vocabulary: Vocabulary | None = None,
        sampler: samplers.Sampler = samplers.euler,
    ) -> None:
        """Use a trained model, which knows the words of `vocabulary` (None: nobody knows which).

        `sampler` is how its velocity is followed: `samplers.euler` or `samplers.heun`.

        Raises: WeightsError if the model draws latents of another shape than the tokenizer's.
        """
        self.side = tokenizer.size // tokenizer.patch
        if (model.embed.in_features, model.pos_embed.shape[1]) != (tokenizer.d, self.side**2):
            raise WeightsError(
                "these weights of the flow-matching model are of the latents of another tokenizer; use the two that "
                "came together, or train again: scope train flow"
            )
        self.sampler, self.device = sampler, device()
        self.model, self.tokenizer, self.weights = model.to(self.device), tokenizer.to(self.device), weights
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Return what the weights were trained to draw, as their file says; None where it does not."""
        return self._vocabulary

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request, of the tokenizer's size.

        Raises: PromptError if a prompt is longer than the text encoder reads.
        """
        return [self._draw(r, steps_within(on_step, i, len(requests))) for i, r in enumerate(requests)]

    @torch.inference_mode()
    def _draw(self, request: Request, on_step: OnStep) -> Picture:
        text = encode_request(request).to(self.device)
        scale = CFG_SCALE if request.cfg_scale is None else request.cfg_scale
        seed = torch.Generator().manual_seed(request.seed)  # on the CPU: every device starts from the same noise
        noise = to_tokens(torch.randn((1, self.tokenizer.d, self.side, self.side), generator=seed).to(self.device))
        x, schedule = self._start(request, noise, samplers.times(request.steps or STEPS, SHIFT))
        x_0 = self.sampler(velocity_fn(self.model, text, scale), x, schedule, on_step)
        return Picture(Image.fromarray(to_pixels(self.tokenizer.decode(to_grid(x_0)))[0]))

    def _start(self, request: Request, noise: Tensor, schedule: Tensor) -> tuple[Tensor, Tensor]:
        """Return where to start and the times from there on: from noise, or from a draft that is noised in part."""
        if request.edit is None:
            return noise, schedule
        t = torch.tensor([request.edit.strength])
        with Image.open(request.edit.image.path) as draft:
            latents = self.tokenizer.encode(to_tensor([resized(draft, self.tokenizer.size)], self.device))
        return paths.add_noise(to_tokens(latents), noise, t.to(self.device)), torch.cat([t, schedule[schedule < t]])


def load(weights: Path | None = None, tokenizer: Path | None = None) -> FlowGenerator:
    """Return the generator with the weights of a file, or the shipped ones.

    Without a `tokenizer`, a file of weights of the pocket PAE, the shipped one is used if the weights were trained on
    it. One that is given is used whatever they were trained on.

    Raises: WeightsError if weights are missing, damaged, of another preset, or of another tokenizer.
    """
    pae, pae_sha256 = load_pae(tokenizer)
    model = DiT(pae.d)
    sha256 = load_shipped(model, "flow") if weights is None else load_file(model, weights)
    metadata = read_metadata(weights or weights_path("flow"))
    if tokenizer is None:
        check_tokenizer(metadata, pae_sha256, "flow")
    return FlowGenerator(model, pae, {"flow": sha256, "pae": pae_sha256}, vocabulary_of(metadata))
