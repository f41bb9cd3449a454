"""The tokenizer: the sphere, the prior, and what each loss does."""

import pytest
import torch

from scope.tokenizers.pae import PAE, mcr, scr, sphere, ssr, turn
from scope.tokenizers.vfm import PocketVFM, principal_axes
from scope.worlds.pocket import compose, sample


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    import numpy as np

    random = np.random.default_rng(0)
    scenes = [compose(sample(random), i).image for i in range(24)]
    return torch.from_numpy(np.stack(scenes)).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.fixture(scope="module")
def small() -> PAE:
    torch.manual_seed(0)
    return PAE(8, 32, 1, 1, 2, vfm=PocketVFM(64, 1, 1)).eval()


def test_tokens_lie_on_the_sphere(small, images):
    z = small.tokens(images, small.features(images))
    assert torch.allclose(z.norm(dim=-1), torch.full(z.shape[:2], 8**0.5), atol=1e-4)


def test_at_construction_the_tokens_do_not_look_at_the_pixels(small, images):
    features = small.features(images)
    assert torch.allclose(small.tokens(images, features), small.tokens(images.flip(0), features), atol=1e-6)


@pytest.mark.parametrize("degrees", [0.0, 42.5, 85.0])
@pytest.mark.parametrize("d", [8, 32])
def test_a_turn_is_of_the_angle_that_it_says(degrees, d):
    torch.manual_seed(0)
    z = sphere(torch.randn(4, 64, d, dtype=torch.float64))
    turned = turn(z, degrees, torch.randn_like(z))
    angle = torch.rad2deg(torch.arccos((torch.cosine_similarity(z, turned, dim=-1)).clamp(-1, 1)))
    assert (angle - degrees).abs().max() < 0.5
    assert torch.allclose(turned.norm(dim=-1), z.norm(dim=-1), rtol=1e-6)


def test_alignment_losses_vanish_on_the_prior_itself_and_ignore_its_scale():
    z = sphere(torch.randn(2, 16, 8))
    assert ssr(z, 3 * z).item() == pytest.approx(0, abs=1e-6)
    assert scr(z, 3 * z).item() == pytest.approx(0, abs=1e-5)
    assert ssr(z, sphere(torch.randn(2, 16, 8))) > 0.01
    assert scr(z, -z).item() == pytest.approx(4, abs=1e-4)


def test_structure_is_blind_to_rotation_and_semantics_is_not():
    z = sphere(torch.randn(2, 16, 8, dtype=torch.float64))
    rotation = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64))[0]
    assert ssr(z @ rotation, z).item() == pytest.approx(0, abs=1e-9)
    assert scr(z @ rotation, z) > 0.1


def test_the_cascade_holds_each_decode_to_the_one_before_it_and_not_the_reverse(small):
    z, noise = sphere(torch.randn(2, 64, 8)), torch.randn(2, 64, 8)
    torch.nn.init.normal_(small.decoder.out.weight, std=0.1)
    anchor = torch.zeros(2, 3, 128, 128, requires_grad=True)
    loss = mcr(small.decoder, z, anchor, noise)
    assert torch.autograd.grad(loss, anchor, allow_unused=True)[0] is None
    assert loss > 0


def test_the_prior_is_the_whitened_principal_components_of_the_features(small, images):
    model = small
    model.start_linear(images)
    features = model.features(images).flatten(0, 1)
    coordinates = (features - model.prior_mean) @ model.prior_axes
    covariance = torch.cov(coordinates.T)
    assert torch.allclose(covariance, torch.eye(8), atol=0.05)


def test_started_linear_it_is_the_pca_of_patches():
    """Against numpy's own decomposition: 15 components of 16-px patches."""
    import numpy as np

    from scope.nn.transformer import patchify

    torch.manual_seed(0)
    random = np.random.default_rng(1)
    scenes = np.stack([compose(sample(random), i).image for i in range(40)])
    pictures = torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 127.5 - 1
    model = PAE(16, 32, 1, 1, 2, vfm=PocketVFM(64, 1, 1)).eval()
    model.start_linear(pictures)
    model.project.weight.data.zero_()
    model.project.bias.data.zero_()
    with torch.no_grad():
        decoded = model.decoder(model.tokens(pictures, model.features(pictures)))
    patches = patchify(pictures, 16).flatten(0, 1).double().numpy()
    centred = patches - patches.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    best = np.square(centred - centred @ axes[:15].T @ axes[:15]).mean()
    # The chart is clipped far from the pole, so a few extreme patches lose a little more.
    assert 0.999 * best <= float((decoded - pictures).square().mean()) < 1.15 * best


def test_latent_statistics_invert_exactly(small, images):
    model = small
    with torch.no_grad():
        z = model.tokens(images, model.features(images))
        model.set_statistics(z)
        latents = model.encode(images)
        assert latents.shape == (24, 8, 8, 8)
        assert latents.mean((0, 2, 3)).abs().max() < 0.05
        assert (latents.std((0, 2, 3)) - 1).abs().max() < 0.05
        assert torch.allclose(model.decode(latents), model.decoder(z).clamp(-1, 1), atol=1e-4)


def test_the_vfm_never_learns(small, images):
    assert not any(p.requires_grad for p in small.vfm.parameters())
    assert not small.train().vfm.training


def test_principal_axes_whiten():
    torch.manual_seed(0)
    mixed = torch.randn(4000, 6) @ torch.randn(6, 6)
    mean, axes = principal_axes(mixed, 4)
    assert torch.allclose(torch.cov(((mixed - mean) @ axes).T), torch.eye(4), atol=1e-3)
