"""The parts of bound generators at tiny size, untrained but not silent, and a request with a region."""

import torch
from torch import nn

from scope.models.binding import HEARD, Binding, Heard
from scope.specification import Box, Region, Request
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.lapped import preset


def tokenizer_of() -> Autoencoder:
    """Return a tokenizer of 8 x 8 cells of 8 numbers."""
    torch.manual_seed(0)
    tokenizer = preset("tiny")
    tokenizer.start(torch.rand(16, 3, 128, 128) * 2 - 1)
    return tokenizer.eval().requires_grad_(False)


def binding_of(d: int = 8) -> Binding:
    """Return a binding of 8 x 8 cells."""
    torch.manual_seed(2)
    return Binding(8, d, wide=16).eval().requires_grad_(False)


def spoken(module: nn.Module, std: float = 0.05) -> nn.Module:
    """Give every parameter a value: heads that start at zero would make every test of what they say pass."""
    torch.manual_seed(1)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=std)
    return module.eval()


def heard_of(b: int, d: int = 8) -> Heard:
    """Return what cells of b pictures hear."""
    noise = torch.Generator().manual_seed(7)
    return Heard(torch.randn(b, 64, HEARD, generator=noise), torch.randn(b, 64, d, generator=noise))


def request_for(phrase: str, seed: int = 3, box: tuple[int, int, int, int] = (200, 100, 800, 700)) -> Request:
    """Return a request for one thing in a region, of 128 px a side."""
    region = Region(id="e1#1", commitments=("e1",), phrase=phrase, box=Box(box))
    return Request(text=f"a {phrase}", seed=seed, regions=(region,), width=128)
