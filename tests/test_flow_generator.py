"""The flow-matching generator at tiny size: how it samples, and what it refuses. The shipped weights: test_weights."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from scope.errors import ImageError, PromptError, WeightsError
from scope.generators.flow import FlowGenerator
from scope.models.dit import DiT
from scope.nn import samplers
from scope.protocols import Generator
from scope.specification import Binding, Request, Span
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import preset

APPLE = Request(text="a red apple", seed=3)


@pytest.fixture(scope="module")
def tokenizer() -> Autoencoder:
    torch.manual_seed(0)
    return preset("tiny").eval().requires_grad_(False)


def model_of(tokenizer: Autoencoder) -> DiT:
    """A model whose zero-initialised heads speak."""
    torch.manual_seed(1)
    model = DiT(tokenizer.d, (tokenizer.size // tokenizer.patch) ** 2, dim=32, depth=1, heads=2, text_depth=1)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    return model.eval()


@pytest.fixture(scope="module")
def generator(tokenizer: Autoencoder) -> FlowGenerator:
    return FlowGenerator(model_of(tokenizer), tokenizer, {"flow": "ab" * 32})


def drawn(generator: FlowGenerator, **changes: object) -> np.ndarray:
    (picture,) = generator.generate([APPLE.model_copy(update=changes)])
    return np.asarray(picture.image, float)


def test_it_fills_the_protocol_and_reads_what_it_is_asked(generator: FlowGenerator) -> None:
    assert isinstance(generator, Generator)
    said = drawn(generator, steps=2)
    assert said.shape == (128, 128, 3)
    binding = Binding(commitment="e1", group=1, span=Span(start=6, end=11))
    for changes in ({"text": "a wet dog"}, {"quoted": ("HI",)}, {"bindings": (binding,)}, {"seed": 4}):
        assert not np.array_equal(said, drawn(generator, steps=2, **changes)), changes


def test_another_sampler_follows_the_same_velocity(generator: FlowGenerator) -> None:
    """In one step Heun's is Euler's; in more they part."""
    heun = FlowGenerator(generator.model, generator.tokenizer, {}, sampler=samplers.heun)
    assert np.array_equal(drawn(heun, steps=1), drawn(generator, steps=1))
    assert 0 < np.abs(drawn(heun, steps=8) - drawn(generator, steps=8)).mean() < 10  # of 255


def test_a_prompt_that_the_text_encoder_would_cut_is_refused(generator: FlowGenerator) -> None:
    generator.generate([Request(text="a cat " * 30, steps=1)])
    with pytest.raises(PromptError, match=r"the prompt is too long: only '.*cat.*' and what is before"):
        generator.generate([Request(text="a cat " * 40, steps=1)])


def test_a_model_of_the_latents_of_another_tokenizer_is_refused(tokenizer: Autoencoder) -> None:
    with pytest.raises(WeightsError, match="another tokenizer"):
        FlowGenerator(DiT(tokenizer.d + 1, 64, 32, 1, 2), tokenizer, {})
    with pytest.raises(WeightsError, match="another tokenizer"):
        FlowGenerator(DiT(tokenizer.d, 16, 32, 1, 2), tokenizer, {})


def test_latents_that_are_not_finite_give_no_picture(tokenizer: Autoencoder) -> None:
    model = model_of(tokenizer)
    nn.init.constant_(model.out.bias, math.nan)
    with pytest.raises(ImageError, match="NaN"):
        FlowGenerator(model, tokenizer, {}).generate([APPLE])
