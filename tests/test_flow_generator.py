"""The flow-matching generator at tiny size: how it samples, and what it refuses. The shipped weights: test_weights."""

import math
from pathlib import Path

import numpy as np
import pytest
import tiny
from PIL import Image
from torch import nn

from scope.errors import ImageError, UsageError, WeightsError
from scope.generators.flow import FlowGenerator
from scope.models.bound_dit import BoundDiT
from scope.nn import samplers
from scope.protocols import Generator
from scope.specification import Edit, ImageFile, Reference, Request
from scope.tokenizers.base import Autoencoder

APPLE = tiny.request_for("red apple")


@pytest.fixture(scope="module")
def tokenizer() -> Autoencoder:
    return tiny.tokenizer_of()


def model_of(tokenizer: Autoencoder) -> BoundDiT:
    model = tiny.spoken(BoundDiT(tokenizer.d, dim=32, depth=1, heads=2), std=0.1)
    assert isinstance(model, BoundDiT)
    return model


@pytest.fixture(scope="module")
def generator(tokenizer: Autoencoder) -> FlowGenerator:
    return FlowGenerator(model_of(tokenizer), tiny.binding_of(), tokenizer, {"flow": "ab" * 32})


def drawn(generator: FlowGenerator, request: Request = APPLE, **changes: object) -> np.ndarray:
    (picture,) = generator.generate([request.model_copy(update=changes)])
    return np.asarray(picture.image, float)


def test_it_fills_the_protocol_and_hears_its_regions_its_setting_and_its_seed(generator: FlowGenerator) -> None:
    assert isinstance(generator, Generator)
    said = drawn(generator, steps=2)
    assert said.shape == (128, 128, 3)
    for other in (tiny.request_for("blue dog"), tiny.request_for("red apple", box=(0, 0, 300, 300))):
        assert not np.array_equal(said, drawn(generator, other, steps=2))
    for changes in ({"setting": "beach"}, {"seed": 4}):
        assert not np.array_equal(said, drawn(generator, steps=2, **changes)), changes


def test_a_reference_is_heard(generator: FlowGenerator, tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 64), "white")
    picture.paste((200, 30, 40), (16, 16, 48, 48))
    picture.save(tmp_path / "mascot.png")
    file = Reference(path=str(tmp_path / "mascot.png"), sha256="", commitment="e1")
    assert not np.array_equal(drawn(generator, steps=2), drawn(generator, steps=2, references=(file,)))


def test_another_sampler_follows_the_same_velocity(generator: FlowGenerator) -> None:
    """In one step Heun's is Euler's; in more they part."""
    heun = FlowGenerator(generator.model, generator.binding, generator.tokenizer, {}, sampler=samplers.heun)
    assert np.array_equal(drawn(heun, steps=1), drawn(generator, steps=1))
    assert 0 < np.abs(drawn(heun, steps=8) - drawn(generator, steps=8)).mean() < 10  # of 255


def test_what_a_mask_does_not_show_stays_to_the_pixel(generator: FlowGenerator, tmp_path: Path) -> None:
    before = drawn(generator, steps=4)
    Image.fromarray(before.astype(np.uint8)).save(tmp_path / "d1.png")
    mask = Image.new("L", (128, 128))
    mask.paste(255, (64, 64, 128, 128))
    mask.save(tmp_path / "mask.png")
    image, white = (ImageFile(path=str(tmp_path / name), sha256="") for name in ("d1.png", "mask.png"))
    after = drawn(generator, tiny.request_for("blue dog"), steps=4, edit=Edit(image=image, mask=white))
    assert np.array_equal(before[:48], after[:48])
    assert not np.array_equal(before[72:, 72:], after[72:, 72:])


def test_256_px_are_usual_and_a_size_that_is_not_drawn_is_refused(generator: FlowGenerator) -> None:
    usual = drawn(generator, steps=1, width=None)
    assert usual.shape == (256, 256, 3)
    assert np.array_equal(usual, drawn(generator, steps=1, width=256))
    with pytest.raises(UsageError, match="128x128 or 256x256 pixels, and not 100x100"):
        drawn(generator, steps=1, width=100)


def test_a_model_of_the_latents_of_another_tokenizer_is_refused(tokenizer: Autoencoder) -> None:
    for model in (BoundDiT(tokenizer.d + 1, dim=32, depth=1, heads=2), BoundDiT(tokenizer.d, 4, 32, 1, 2)):
        with pytest.raises(WeightsError, match="another tokenizer"):
            FlowGenerator(model, tiny.binding_of(), tokenizer, {})


def test_latents_that_are_not_finite_give_no_picture(tokenizer: Autoencoder) -> None:
    model = model_of(tokenizer)
    nn.init.constant_(model.out.bias, math.nan)
    with pytest.raises(ImageError, match="NaN"):
        FlowGenerator(model, tiny.binding_of(), tokenizer, {}).generate([APPLE])
