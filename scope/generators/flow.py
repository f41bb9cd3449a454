"""The flow-matching generator: a DiT that is told cell by cell what to show, on a tokenizer's latents.

The picture comes from the tokenizer's decoder. What the weights can draw stands in their file (`metadata.py`). A
request without regions gets those that the learned layout places for its prompt (`layouts.py`).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from scope.errors import WeightsError
from scope.generators import editing
from scope.generators.canvas import READS, heard, load_frozen, picture_of, side_of
from scope.generators.layouts import Layouts, load_layouts
from scope.generators.metadata import check_rests, vocabulary_of
from scope.models.binding import Binding
from scope.models.bound_dit import BoundDiT, velocity_fn
from scope.nn import paths, samplers
from scope.nn.images import device
from scope.nn.weights import load_file, load_shipped
from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps, steps_within
from scope.specification import Request
from scope.tokenizers.base import Autoencoder
from scope.weights import read_metadata, weights_path

STEPS = 12
SHIFT = 3.0  # of the times: what a cell shows is decided near the noise, so most steps are spent there


class FlowGenerator:
    """Draws requests one by one, so that a picture depends on its own request alone."""

    name, version = "flow", "8"
    reads = READS
    batch, parallel = 4, 1

    def __init__(
        self,
        model: BoundDiT,
        binding: Binding,
        tokenizer: Autoencoder,
        weights: dict[str, str],
        vocabulary: Vocabulary | None = None,
        layouts: Layouts | None = None,
        sampler: samplers.Sampler = samplers.euler,
    ) -> None:
        """Use a trained model, which knows the words of `vocabulary` (None: nobody knows which).

        `layouts` places what a request has no regions for; None: only the setting of such a request is drawn.
        `sampler` is how the model's velocity is followed: `samplers.euler` or `samplers.heun`.

        Raises: WeightsError if the model draws latents of another shape than the tokenizer's.
        """
        if (model.d, model.side) != (tokenizer.d, tokenizer.size // tokenizer.patch):
            raise WeightsError(
                "these weights of the flow-matching model are of the latents of another tokenizer; use the two that "
                "came together, or train again: scope train flow"
            )
        self.sampler, self.device, self.layouts = sampler, device(), layouts
        self.model, self.binding = model.to(self.device).eval(), binding.to(self.device).eval()
        self.tokenizer = tokenizer.to(self.device)
        self.weights = weights | (layouts.weights if layouts else {})
        self._vocabulary = vocabulary

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Return what the weights were trained to draw, as their file says; None where it does not."""
        return self._vocabulary

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request.

        Raises: UsageError if one asks for a size that is not drawn, or has a reference that is no picture. PromptError
        if a prompt that has no regions is longer than the text encoder reads.
        """
        return [self._draw(r, steps_within(on_step, i, len(requests))) for i, r in enumerate(requests)]

    @torch.inference_mode()
    def _draw(self, request: Request, on_step: OnStep) -> Picture:
        side_of(request)
        said = heard(request, self.layouts, self.binding)
        seed = torch.Generator().manual_seed(request.seed)  # on the CPU: every device starts from the same noise
        noise = torch.randn((1, self.model.side**2, self.model.d), generator=seed).to(self.device)
        schedule, velocity = samplers.times(request.steps or STEPS, SHIFT), velocity_fn(self.model, said)
        if request.edit is None:
            return Picture(picture_of(self.tokenizer, self.sampler(velocity, noise, schedule, on_step), request))
        draft = editing.opened(request.edit, self.tokenizer, self.device)
        x, schedule = _start(draft.x_0, noise, schedule, request.edit.strength)
        x_0 = self.sampler(editing.held(velocity, draft), x, schedule, on_step)
        return Picture(editing.joined(draft, picture_of(self.tokenizer, x_0, request)))


def _start(x_0: Tensor, noise: Tensor, schedule: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Return a draft that is noised in part, and the times from there on."""
    t = torch.tensor([strength])
    return paths.add_noise(x_0, noise, t.to(noise.device)), torch.cat([t, schedule[schedule < t]])


def load(weights: Path | None = None, binding: Path | None = None, tokenizer: Path | None = None) -> FlowGenerator:
    """Return the generator with the weights of files, or the shipped ones.

    Raises: WeightsError if weights are missing, damaged, of another preset, or were not trained on one another.
    """
    frozen = load_frozen(binding, tokenizer)
    model = BoundDiT(frozen.tokenizer.d)
    sha256 = load_shipped(model, "flow") if weights is None else load_file(model, weights)
    metadata = read_metadata(weights or weights_path("flow"))
    check_rests(metadata, frozen.sha256, "flow")
    return FlowGenerator(
        model, frozen.binding, frozen.tokenizer, {"flow": sha256, **frozen.weights}, vocabulary_of(metadata),
        load_layouts(),
    )  # fmt: skip
