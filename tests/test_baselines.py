"""The tokenizers that PAE is measured against, and what all of them promise."""

import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from scope.models.discriminator import MAX_WEIGHT, PatchDiscriminator, adaptive_weight, g_loss, hinge_d_loss
from scope.nn.transformer import to_grid
from scope.protocols import Tokenizer
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.baselines import AE, KLVAE, RAE, VAVAE
from scope.tokenizers.pae import preset

VFM = "conv/4/16/1"
ARMS = {
    "pae": lambda: preset("closeup", dim=32, depth=1, vfm="conv/4/32/1"),
    "ae": lambda: AE(32, 4, 8, 16, 1),
    "kl": lambda: KLVAE(32, 4, 8, 16, 1),
    "rae": lambda: RAE(32, 4, VFM, 16, 1),
    "va": lambda: VAVAE(32, 4, 8, 16, 1, VFM),
}


@pytest.fixture(params=ARMS)
def model(request: pytest.FixtureRequest) -> Autoencoder:
    torch.manual_seed(0)
    made: Autoencoder = ARMS[request.param]().eval()
    return made


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 2 - 1


@pytest.fixture
def noise() -> torch.Generator:
    return torch.Generator().manual_seed(0)


# -- what all of them promise --------------------------------------------------------------------


@torch.no_grad()
def test_every_tokenizer_keeps_the_promises_of_one(model, images):
    assert isinstance(model, Tokenizer)
    latents = model.encode(images)
    assert latents.shape == (4, model.d, 8, 8)
    decoded = model.decode(latents)
    assert decoded.shape == images.shape
    assert decoded.dtype == torch.float32
    assert decoded.abs().max() <= 1
    assert torch.equal(model.encode(images), latents)  # no draw is left in it
    assert torch.allclose(model.encode(images[1:2]), latents[1:2], atol=1e-5)  # whatever is beside it
    assert torch.allclose(model.decode(latents[1:2]), decoded[1:2], atol=1e-5)
    assert model.decode(50 * torch.randn_like(latents)).abs().max() <= 1


@torch.no_grad()
def test_every_tokenizer_has_latents_of_unit_scale_and_undoes_that_before_it_decodes(model, images):
    before = model.decode(model.encode(images))
    model.set_statistics(model.encode_tokens(images))
    latents = model.encode(images)
    assert latents.mean((0, 2, 3)).abs().max() < 1e-4
    assert (latents.std((0, 2, 3)) - 1).abs().max() < 1e-4
    assert torch.allclose(model.decode(latents), before, atol=1e-4)


def test_no_tokenizer_lets_its_vfm_learn(model, images, noise):
    output = model.train().training_forward(images, noise)
    assert output.decoded.shape == images.shape
    (output.decoded.square().mean() + sum(output.terms.values())).backward()
    backbone = getattr(model, "vfm", None)
    assert (backbone is None) == (type(model) in (AE, KLVAE))
    if backbone is not None:
        assert not backbone.training
        assert all(p.grad is None and not p.requires_grad for p in backbone.parameters())
    assert any(p.grad is not None for p in model.decoder.parameters())


# -- each ----------------------------------------------------------------------------------------


def test_the_divergence_of_the_kl_vae_is_that_of_torch(images, noise):
    torch.manual_seed(0)
    model = KLVAE(32, 4, 8, 16, 1)
    mean, log_variance = model.moments(images)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).mean()
    output = model.training_forward(images, noise)
    assert output.terms["kl"].item() == pytest.approx(expected.item(), rel=1e-5)
    standard = (output.z - mean) / (log_variance / 2).exp()
    assert standard.mean().item() == pytest.approx(0, abs=0.1)
    assert standard.std().item() == pytest.approx(1, abs=0.1)
    assert torch.equal(model.encode_tokens(images), mean)


def test_the_latents_of_the_rae_are_the_frozen_features_and_its_noise_is_as_large_as_tau(images, noise):
    torch.manual_seed(0)
    model = RAE(32, 4, VFM, 16, 1, tau=0.5)
    features = model.vfm(images)
    assert torch.equal(model.encode(images), to_grid(features))
    seen: list[torch.Tensor] = []
    model.decoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    for _ in range(60):
        assert torch.equal(model.training_forward(images, noise).z, features)
    added = torch.stack(seen) - features
    sigma = added.std((2, 3))  # one a sample and a draw: |N(0, tau)|
    assert sigma.mean().item() == pytest.approx(0.5 * (2 / torch.pi) ** 0.5, rel=0.15)
    assert sigma.square().mean().sqrt().item() == pytest.approx(0.5, rel=0.15)


class Given(nn.Module):
    """A backbone that says what it is told to."""

    def __init__(self, features: torch.Tensor) -> None:
        super().__init__()
        self.features, self.dim = features, features.shape[-1]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.features


def held(z: torch.Tensor, features: torch.Tensor, noise: torch.Generator) -> dict[str, float]:
    """What a VAVAE asks of tokens z against features of the same width, lifted by the identity."""
    model = VAVAE(32, 4, z.shape[-1], 16, 1, Given(features))
    model.lift.weight.data.copy_(torch.eye(z.shape[-1]))
    model.encode_tokens = lambda images: z
    output = model.training_forward(torch.zeros(len(z), 3, 32, 32), noise)
    return {name: term.item() for name, term in output.terms.items()}


def turned(degrees: float) -> torch.Tensor:
    return torch.tensor([[torch.cos(a), torch.sin(a)] for a in torch.deg2rad(torch.tensor([degrees]))])


def test_the_margins_of_va_vae_ask_for_nothing_inside_and_for_the_difference_outside(noise):
    """64 tokens along one axis; features turned from it, all or half of them."""
    z = torch.tensor([[1.0, 0.0]]).expand(1, 64, 2)
    assert held(z, z, noise) == {"mcos": 0, "mdms": 0}
    assert held(z, turned(55).expand(1, 64, 2), noise) == {"mcos": 0, "mdms": 0}  # cos 55 = .57, over 1 - .5
    assert held(z, turned(120).expand(1, 64, 2), noise)["mcos"] == pytest.approx(1, abs=1e-5)  # .5 - cos 120
    half = torch.cat([z[:, :32], turned(40).expand(1, 32, 2)], 1)
    assert held(z, half, noise)["mdms"] == 0  # 1 - cos 40 = .23, under .25
    half = torch.cat([z[:, :32], turned(90).expand(1, 32, 2)], 1)
    assert held(z, half, noise)["mdms"] == pytest.approx(0.75 / 2, abs=1e-5)  # half of all pairs


# -- the adversary -------------------------------------------------------------------------------


def test_the_hinge_is_zero_beyond_its_margins_and_two_where_nothing_is_known():
    real, made = torch.full((2, 4, 4), 1.5), torch.full((2, 4, 4), -1.5)
    assert hinge_d_loss(real, made) == 0
    assert hinge_d_loss(torch.zeros(2, 4, 4), torch.zeros(2, 4, 4)) == 2
    assert hinge_d_loss(made, real) == 5
    assert hinge_d_loss(torch.full((1,), 0.5), torch.full((1,), -0.25)).item() == pytest.approx(0.5 + 0.75)


def test_the_adaptive_weight_is_the_ratio_of_gradients_by_hand():
    last = torch.tensor([1.0, 2.0], requires_grad=True)
    loss, adversarial = 3 * last[0] + 4 * last[1], 0.5 * last[0]  # gradients (3, 4) and (.5, 0)
    weight = adaptive_weight(loss, adversarial, last)
    assert weight.item() == pytest.approx(5 / (0.5 + 1e-4))
    assert not weight.requires_grad
    assert adaptive_weight(loss, 0 * adversarial, last) == MAX_WEIGHT


@pytest.mark.heavy
def test_a_discriminator_learns_to_tell_and_a_fooling_picture_moves_towards_real_ones():
    torch.manual_seed(0)
    discriminator, real = PatchDiscriminator(8), torch.ones(8, 3, 16, 16) * 0.5 + 0.1 * torch.randn(8, 3, 16, 16)
    made = -real
    optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
    first = hinge_d_loss(discriminator(real), discriminator(made)).item()
    for _ in range(40):
        optimizer.zero_grad()
        loss = hinge_d_loss(discriminator(real), discriminator(made))
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5 * first
    guess = made.clone().requires_grad_()
    g_loss(discriminator(guess)).backward()
    assert (guess.grad * (real - made)).sum() < 0  # downhill is towards the real ones
