"""The learned layout as a part of a generator: a request without regions gets some, from its prompt alone.

This is the prompt-only system: layout flow, then bound generator. The words of each region are those of the group of
the prompt that it belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from scope.models.layout_flow import SLOT, SLOTS, LayoutFlow, from_slots, velocity_fn
from scope.models.text_encoder import Conditioning, TextInput, check_length, encode
from scope.nn import samplers
from scope.nn.images import device
from scope.nn.weights import load_file, load_shipped
from scope.specification import Binding, Box, Region, Request
from scope.weights import expected

STEPS, SHIFT = 16, 1.0
_ARTICLES = frozenset({"a", "an", "the"})


def text_of(request: Request) -> TextInput:
    """Return the prompt of a request, with the characters that belong to each group."""
    spans = tuple((b.span.start, b.span.end, b.group) for b in _said_of_things(request))
    return TextInput(request.text, spans, request.quoted)


def _said_of_things(request: Request) -> list[Binding]:
    """Return the bindings of groups, but for articles, which count one and describe nothing."""
    words = ((b, request.text[b.span.start : b.span.end].lower()) for b in request.bindings)
    return [b for b, said in words if b.group > 0 and said not in _ARTICLES]


@dataclass(frozen=True)
class Layouts:
    """Places the things of prompts. `weights`: file name -> sha256."""

    model: LayoutFlow
    weights: dict[str, str]

    def placed(self, request: Request) -> Request:
        """Return the request with regions, drawn from its seed; a group of words that got no slot has none.

        Raises: PromptError if its text is longer than the text encoder reads.
        """
        check_length(request.text)
        entities = {b.group: b for b in reversed(request.bindings) if b.group > 0}
        if not entities:
            return request
        boxes, groups = self.sample([text_of(request)], [request.seed])
        regions: list[Region] = []
        for box, group in zip(boxes[0].tolist(), groups[0].tolist(), strict=True):
            if group in entities:
                number = 1 + sum(region.id.startswith(f"e{group}#") for region in regions)
                regions.append(_region(request, entities[group], f"e{group}#{number}", box))
        return request.model_copy(update={"regions": tuple(regions)})

    @torch.inference_mode()
    def sample(self, texts: Sequence[TextInput], seeds: Sequence[int], steps: int = STEPS) -> tuple[torch.Tensor, ...]:
        """Return boxes (b, s, 4) and groups (b, s) of several prompts, each from its own seed."""
        text: Conditioning = encode(texts).to(device())
        noise = torch.stack([torch.randn(SLOTS, SLOT, generator=torch.Generator().manual_seed(s)) for s in seeds])
        x_0 = samplers.euler(velocity_fn(self.model, text), noise.to(device()), samplers.times(steps, SHIFT))
        return from_slots(x_0)


def _region(request: Request, owner: Binding, name: str, box: list[float]) -> Region:
    """Return a region that shows what is said of a group of words; `owner` is the binding of its noun."""
    x0, y0, x1, y1 = (round(1000 * share) for share in box)
    about = sorted(
        (b for b in _said_of_things(request) if b.group == owner.group and b is not owner), key=lambda b: b.span.start
    )
    words = [request.text[b.span.start : b.span.end] for b in (*about, owner)]
    written = next((quoted for quoted in request.quoted if any(quoted in word for word in words)), "")
    return Region(
        id=name, commitments=(owner.commitment,), phrase=" ".join(words), text=written,
        box=Box((y0, x0, max(y1, y0 + 1), max(x1, x0 + 1))),
    )  # fmt: skip


def load_layouts(path: Path | None = None) -> Layouts | None:
    """Return the layout of a file, or the shipped one; None where this version ships none.

    Raises: WeightsError if its weights are damaged.
    """
    if path is None and "layout" not in expected():
        return None
    model = LayoutFlow()
    sha256 = load_shipped(model, "layout") if path is None else load_file(model, path)
    return Layouts(model.to(device()), {"layout": sha256})
