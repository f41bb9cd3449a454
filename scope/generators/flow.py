"""The flow-matching generator: a text-conditioned DiT on PAE latents, sampled with guidance.

The picture comes from the PAE decoder. What the shipped weights can draw is `FlowGenerator.vocabulary`.
"""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scope.errors import WeightsError
from scope.generators import words
from scope.models.dit import DiT
from scope.nn import paths, samplers
from scope.nn.weights import load_shipped
from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps
from scope.specification import Request
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import load as load_pae
from scope.worlds.pocket.sprites import SIZE
from scope.worlds.pocket.vocabulary import SHIPPED

STEPS, CFG_SCALE = 30, 2.0
SHIFT = 5.0  # of the times: nouns and places are decided near the noise, so most steps are spent there


class FlowGenerator:
    """Draws requests one by one, so that a picture depends on its own request alone."""

    name, version, resamples = "flow", "4", True

    def __init__(
        self, model: DiT, tokenizer: Autoencoder, weights: dict[str, str], sampler: samplers.Sampler = samplers.euler
    ) -> None:
        """Use a trained model; `sampler` is how its velocity is followed: `samplers.euler` or `samplers.heun`.

        Raises: WeightsError if the model draws latents of another shape than the tokenizer's.
        """
        self.side = tokenizer.size // tokenizer.patch
        if (model.embed.in_features, model.position.shape[1]) != (tokenizer.d, self.side**2):
            raise WeightsError(
                "these weights of the flow-matching model are of the latents of another tokenizer; use the two that "
                "came together, or train again: scope train flow"
            )
        self.sampler = sampler
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.tokenizer, self.weights = model.to(self.device), tokenizer.to(self.device), weights

    @property
    def vocabulary(self) -> Vocabulary:
        """Return what the shipped weights were trained to draw."""
        return SHIPPED

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one 128-px picture per request.

        Raises: PromptError if a prompt is longer than the text encoder reads.
        """
        return [self._draw(request, on_step) for request in requests]

    @torch.inference_mode()
    def _draw(self, request: Request, on_step: OnStep) -> Picture:
        text = words.read(request).repeat(2).to(self.device)
        scale = CFG_SCALE if request.cfg_scale is None else request.cfg_scale
        read = torch.tensor([True, False], device=self.device)

        def field(x: Tensor, t: Tensor) -> Tensor:
            both = self.model(x.repeat(2, 1, 1, 1), t.repeat(2), text, read)
            return samplers.guided(both[:1], both[1:], scale)

        seed = torch.Generator().manual_seed(request.seed)  # on the CPU: every device starts from the same noise
        noise = torch.randn((1, self.tokenizer.d, self.side, self.side), generator=seed).to(self.device)
        x, schedule = self._start(request, noise, samplers.times(request.steps or STEPS, SHIFT))
        latents = self.sampler(field, x, schedule, on_step)
        pixels = ((self.tokenizer.decode(latents)[0] + 1) * 127.5).round().byte()
        return Picture(Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy()))

    def _start(self, request: Request, noise: Tensor, schedule: Tensor) -> tuple[Tensor, Tensor]:
        """Return where to start and the times from there on: from noise, or from a draft that is noised in part."""
        if request.start is None or request.start.t is None:
            return noise, schedule
        t = torch.tensor([request.start.t])
        with Image.open(request.start.path) as draft:
            pixels = torch.from_numpy(np.array(draft.convert("RGB").resize((SIZE, SIZE)))).to(self.device)
        latents = self.tokenizer.encode(pixels.permute(2, 0, 1)[None].float() / 127.5 - 1)
        return paths.add_noise(latents, noise, t.to(self.device)), torch.cat([t, schedule[schedule < t]])


def load() -> FlowGenerator:
    """Return the generator with the shipped weights.

    Raises: WeightsError if they are missing or damaged.
    """
    tokenizer, pae = load_pae()
    model = DiT(tokenizer.d)
    return FlowGenerator(model, tokenizer, {"flow": load_shipped(model, "flow"), "pae": pae})
