"""The lapped tokenizer: a linear encoder on a sphere and its flat chart, and a decoder whose windows overlap."""

import numpy as np
import pytest
import torch

from scope.errors import ImageError
from scope.models.autoencoder_modules import ConvDecoder
from scope.nn.images import to_tensor
from scope.nn.transformer import patchify
from scope.tokenizers.lapped import Lapped, preset
from scope.worlds.pocket import compose, sample_whole


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    rng = np.random.default_rng(3)
    return to_tensor([compose(sample_whole(rng), (3, i)).image for i in range(24)], torch.device("cpu"))


@pytest.fixture(scope="module")
def started(images: torch.Tensor) -> Lapped:
    torch.manual_seed(0)
    model = preset("tiny").eval()
    model.start(images)
    return model


def test_latents_are_what_the_linear_path_gives_and_of_unit_scale_together(started: Lapped, images: torch.Tensor):
    latents = started.encode(images)
    assert latents.square().mean().sqrt() == pytest.approx(1, abs=0.02)
    linear = started.encoder(patchify(images, started.patch))
    expected = (linear - started.latent_mean) / started.latent_std
    assert torch.allclose(latents.flatten(2).mT, expected, atol=1e-4)
    std = latents.permute(1, 0, 2, 3).flatten(1).std(1)[:-1]
    assert std.argmax() == 0
    assert std.max() > 1.5 * std.min()


def test_the_sphere_and_its_chart_are_inverse(started: Lapped, images: torch.Tensor):
    z = started.encode_tokens(images)
    assert torch.allclose(z.square().mean(-1), torch.ones(()), atol=1e-4)
    assert torch.allclose(started.project(started.chart(z)), z, atol=1e-4)


def test_the_start_decodes_as_well_as_the_principal_components(started: Lapped, images: torch.Tensor):
    patches = patchify(images, started.patch).flatten(0, 1).numpy().astype(np.float64)
    centred = patches - patches.mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2][: started.d - 1]
    best = float(np.square(centred - centred @ axes.T @ axes).mean())
    with torch.no_grad():
        error = float((started.decode(started.encode(images)) - images).square().mean())
    assert error < 1.3 * best + 0.01


def test_tokens_come_back_from_latents_and_the_latents_have_a_name_of_their_own(started: Lapped, images: torch.Tensor):
    latents = started.encode(images[:2])
    assert torch.allclose(started.tokens_of(latents), started.encode_tokens(images[:2]), atol=1e-4)
    same = preset("tiny")
    same.load_state_dict(started.state_dict())
    torch.nn.init.ones_(same.decoder.out.weight)
    assert same.latents_sha256() == started.latents_sha256()
    same.encoder.weight.data[0, 0] += 0.1
    assert same.latents_sha256() != started.latents_sha256()


def test_what_one_token_says_reaches_the_pixels_of_its_neighbours():
    torch.manual_seed(0)
    decoder = ConvDecoder(16, 8).eval()
    z = torch.randn(1, 64, 8)
    other = z.clone()
    other[0, 9] += 1.0  # row 1, column 1
    with torch.no_grad():
        moved = (decoder(other) - decoder(z)).abs().amax(1)[0]
    assert moved[16:32, 16:32].max() > 0
    assert moved[16:32, 32:40].max() > 0
    assert moved[16:32, 8:16].max() > 0


def test_the_fine_head_begins_as_the_enlarged_picture(started: Lapped, images: torch.Tensor):
    with torch.no_grad():
        latents = started.encode(images[:4])
        coarse, fine = started.decode(latents), started.decode(latents, fine=True)
    assert fine.shape == (4, 3, 256, 256)
    assert (torch.nn.functional.avg_pool2d(fine, 2) - coarse).abs().mean() < 0.03


def test_noise_is_a_share_of_the_deviation_and_other_for_each_picture(started: Lapped, images: torch.Tensor):
    z = started.encode_tokens(images)
    flat, noised = started.chart(z), started.chart(started.noised(z, torch.Generator().manual_seed(0)))
    away = (noised - flat).square().mean((1, 2)).sqrt() / (flat - flat.mean((0, 1))).square().mean().sqrt()
    assert 0 < away.min() < away.max() < 1.5 * started.noise
    assert torch.equal(z, started.encode_tokens(images))


def test_pictures_of_another_size_are_refused(started: Lapped):
    with pytest.raises(ImageError, match="128"):
        started.encode(torch.zeros(1, 3, 64, 64))
