"""PAE: the sphere, the prior, what each loss asks for and which property it moves, and the sizes that have a name."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from scope.benchmarks.metrics.latents import gsq, lpc, ssc
from scope.errors import ImageError, UsageError, WeightsError
from scope.models.autoencoder_modules import PixelDecoder
from scope.nn.transformer import parameter_count, patchify, to_tokens
from scope.tokenizers import vfm
from scope.tokenizers.losses import LARGE, MIDDLE, Perturbation, angles, mcr, scr, sphere, ssr, turn
from scope.tokenizers.pae import PAE, PRESETS, preset
from scope.tokenizers.prior import RefinedPrior, WhitenedPrior, low_passed
from scope.worlds.closeups import closeups


def drawn(count: int) -> torch.Tensor:
    return torch.from_numpy(closeups(count, 5).images).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return drawn(24)


@pytest.fixture
def small() -> PAE:
    """A PAE of close-ups: 32 px, 8 x 8 tokens of 8 channels."""
    torch.manual_seed(0)
    return preset("closeup", dim=32, depth=1, vfm="conv/4/32/1").eval()


@pytest.fixture
def linear() -> PAE:
    torch.manual_seed(0)
    patches = {"decoder": "patches", "prior": "whitened", "linear": True}
    return preset("closeup", d=16, dim=32, depth=1, vfm="conv/4/32/1", **patches).eval()


@pytest.fixture
def noise() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def tokens(*shape: int) -> torch.Tensor:
    return sphere(torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))


def angle(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return torch.rad2deg(torch.arccos(torch.cosine_similarity(a, b, dim=-1).clamp(-1, 1)))


# -- the tokens ----------------------------------------------------------------------------------


def test_tokens_lie_on_the_sphere_of_radius_root_d(small, images):
    z = small.encode_tokens(images)
    assert z.shape == (24, 64, 8)
    assert (z.norm(dim=-1) - 8**0.5).abs().max() < 1e-5


@pytest.mark.parametrize("which", ["small", "linear"])
def test_at_construction_the_tokens_do_not_look_at_the_pixels_and_after_one_step_they_do(which, images, request):
    model = request.getfixturevalue(which)
    features = model.features(images)
    assert torch.equal(model.tokens(images, features), model.tokens(images.flip(0), features))
    scr(model.tokens(images, features), torch.randn(24, 64, model.d)).backward()
    with torch.no_grad():
        for p in model.modulator.parameters():
            p -= 0 if p.grad is None else 10 * p.grad
    assert not torch.allclose(model.tokens(images, features), model.tokens(images.flip(0), features), atol=1e-3)


def test_a_token_that_left_the_sphere_is_put_back_before_it_is_decoded(small, images):
    latents = small.encode(images)
    assert torch.allclose(small.decode(3 * latents), small.decode(latents), atol=1e-5)


def test_latent_statistics_make_unit_scale_and_invert_exactly_before_decoding(small, images):
    z = small.encode_tokens(images)
    small.set_statistics(z)
    latents = small.encode(images)
    assert latents.shape == (24, 8, 8, 8)
    assert latents.mean((0, 2, 3)).abs().max() < 1e-5
    assert (latents.std((0, 2, 3)) - 1).abs().max() < 1e-5
    assert torch.allclose(to_tokens(latents) * small.latent_std + small.latent_mean, z, atol=1e-5)
    assert torch.allclose(small.decode(latents), small.decoder(z).clamp(-1, 1), atol=1e-5)


def test_the_vfm_and_the_prior_get_no_gradient_from_what_the_tokens_are_held_to(small, images, noise):
    terms = small.train().training_forward(images, noise).terms
    assert set(terms) == {"ssr", "scr", "mcr"}
    torch.stack(list(terms.values())).sum().backward()
    held = {name for name, p in small.named_parameters() if p.grad is None}
    assert {name for name in held if name.startswith(("vfm.", "prior."))} == held
    assert not small.vfm.training
    assert small.modulator.out.weight.grad.abs().max() > 0


# -- what MCR turns ------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [8, 32])
@pytest.mark.parametrize("degrees", [0.0, MIDDLE, LARGE])
def test_a_turn_is_of_the_angle_that_it_says_and_stays_on_the_sphere(degrees, d):
    z = tokens(4, 64, d)
    turned = turn(z, degrees, torch.randn_like(z))
    assert (angle(z, turned) - degrees).abs().max() < 1e-4
    assert torch.allclose(turned.norm(dim=-1), z.norm(dim=-1), rtol=1e-6)


class Seen(nn.Module):
    """A decoder that notes what it is asked to decode."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[torch.Tensor] = []

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        self.asked.append(z)
        return z


def perturbed(how: Perturbation, z: torch.Tensor, noise: torch.Generator) -> list[torch.Tensor]:
    decoder = Seen()
    mcr(decoder, z, z, noise, how, F.l1_loss)
    return decoder.asked


def test_fixed_angles_are_42_and_85_degrees_as_measured_on_what_is_decoded(noise):
    z = tokens(4, 64, 8).float()
    z_m, z_l = perturbed(Perturbation(angles="fixed"), z, noise)
    assert (angle(z, z_m) - 42.5).abs().max() < 0.5
    assert (angle(z, z_l) - 85).abs().max() < 0.5
    assert (angle(z_m, z_l) - 42.5).abs().max() < 0.5  # the same direction
    assert (z_l.norm(dim=-1) - 8**0.5).abs().max() < 1e-4


def test_a_direction_a_branch_leads_elsewhere(noise):
    z = tokens(4, 64, 8).float()
    z_m, z_l = perturbed(Perturbation(angles="fixed", share_direction=False), z, noise)
    assert (angle(z, z_l) - 85).abs().max() < 0.5
    assert angle(z_m, z_l).mean() > 60


def test_without_renormalisation_tokens_leave_the_sphere_along_the_tangent(noise):
    z = tokens(4, 64, 8).float()
    for moved, degrees in zip(perturbed(Perturbation("fixed", renormalise=False), z, noise), (42.5, 85), strict=True):
        assert (angle(z, moved) - degrees).abs().max() < 0.5
        stretched = moved.norm(dim=-1) / z.norm(dim=-1)
        assert torch.allclose(stretched, torch.full_like(stretched, 1 / math.cos(math.radians(degrees))), rtol=1e-3)
        assert ((moved - z) * z).sum(-1).abs().max() < 1e-3


def test_jittered_angles_stay_below_both_maxima_and_in_order(noise):
    middle, large = angles(Perturbation(), 2000, noise)
    assert 0 <= middle.min() < 2
    assert middle.max() <= MIDDLE
    assert large.max() <= LARGE
    assert (middle < large).all()
    tangents = [torch.tan(torch.deg2rad(a)) / math.tan(math.radians(most)) for a, most in ((middle, 42.5), (large, 85))]
    assert torch.allclose(*tangents, rtol=1e-3)  # one draw r for both
    assert tangents[0].mean().item() == pytest.approx(0.5, abs=0.03)


# -- the losses ----------------------------------------------------------------------------------


def test_alignment_losses_vanish_on_the_prior_itself_and_ignore_its_scale():
    z = tokens(2, 16, 8)
    assert ssr(z, 3 * z).item() == pytest.approx(0, abs=1e-12)
    assert scr(z, 3 * z).item() == pytest.approx(0, abs=1e-12)
    assert scr(z, -z).item() == pytest.approx(4)


def test_alignment_losses_are_their_closed_forms_on_two_tokens():
    """Two tokens in the plane, 90 degrees apart, against two that are 60 degrees apart."""
    z = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    prior = torch.tensor([[[1.0, 0.0], [0.5, math.sqrt(3) / 2]]])
    assert ssr(z, prior).item() == pytest.approx(2 * 0.5**2 / 4)  # two of four entries differ by cos 60
    pooled, by_token = 1 - math.cos(math.radians(45 - 30)), (0 + 1 - math.cos(math.radians(30))) / 2
    assert scr(z, prior).item() == pytest.approx(pooled + by_token, abs=1e-6)


def test_structure_is_blind_to_rotation_and_semantics_is_not():
    z = tokens(2, 16, 8)
    rotation = torch.linalg.qr(torch.randn(8, 8, dtype=torch.float64))[0]
    assert ssr(z @ rotation, z).item() == pytest.approx(0, abs=1e-12)
    assert scr(z @ rotation, z) > 0.1


def test_the_cascade_holds_each_decode_to_the_one_before_it_and_not_the_reverse(noise):
    """What reaches each decode is the gradient of its own distance alone."""
    anchor, x_m, x_l = (torch.randn(2, 3, 8, 8, requires_grad=True) for _ in range(3))
    decodes = iter((x_m, x_l))

    class Decoder(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return next(decodes)

    mcr(Decoder(), tokens(2, 4, 8), anchor, noise, Perturbation(), F.mse_loss).backward()
    assert anchor.grad is None
    alone = [torch.autograd.grad(F.mse_loss(a, b.detach()), a)[0] for a, b in ((x_m, anchor), (x_l, x_m))]
    assert torch.equal(x_m.grad, alone[0])
    assert torch.equal(x_l.grad, alone[1])


@pytest.mark.heavy
def test_each_loss_moves_its_own_property_most(noise):
    """Free tokens and a small decoder learn 24 pictures with L1 and one more loss; SSC, GSQ and LPC are measured.

    A picture is a thing of one of six kinds before one ground. The prior's tokens say which, with noise.
    """
    kinds, count, side, d = 6, 24, 4, 8
    random = torch.Generator().manual_seed(3)
    labels = torch.arange(count) % kinds
    mask = (torch.rand(count, side * side, generator=random) < 0.5).long()
    mask[:, 0], mask[:, 1] = 0, 1  # both are in every picture
    words = sphere(torch.randn(1 + kinds, d, generator=random))
    prior = sphere(words[mask * (1 + labels[:, None])] + 0.3 * torch.randn(count, side * side, d, generator=random))
    pictures = torch.rand(count, 3, 16, 16, generator=random) * 2 - 1

    def properties(loss: str) -> dict[str, float]:
        torch.manual_seed(0)
        free = nn.Parameter(torch.randn(count, side * side, d))
        decoder = PixelDecoder(4, d, 16, 1)
        optimizer = torch.optim.Adam([{"params": [free], "lr": 0.05}, {"params": decoder.parameters(), "lr": 3e-3}])
        draws = torch.Generator().manual_seed(0)
        for _ in range(40):
            z = sphere(free)
            decoded = decoder(z)
            total = F.l1_loss(decoded, pictures)
            if loss == "ssr":
                total = total + ssr(z, prior)
            elif loss == "scr":
                total = total + scr(z, prior)
            elif loss == "mcr":
                total = total + mcr(decoder, z, decoded, draws, Perturbation(), F.l1_loss)
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
        z = sphere(free).detach()
        return {
            "ssc": float(ssc(z.numpy(), mask.numpy()).mean()),
            "gsq": float(gsq(z.numpy(), labels.numpy(), per_class=4, draws=1)[0]),
            "lpc": float(lpc(decoder, z, lambda a, b: (a - b).abs().mean((1, 2, 3))).mean()),
        }

    table = {loss: properties(loss) for loss in ("none", "ssr", "scr", "mcr")}
    assert max(table, key=lambda loss: table[loss]["ssc"]) == "ssr"
    assert max(table, key=lambda loss: table[loss]["gsq"]) == "scr"
    assert min(table, key=lambda loss: table[loss]["lpc"]) == "mcr"
    assert table["ssr"]["ssc"] > table["none"]["ssc"] + 0.3
    assert table["scr"]["gsq"] > table["none"]["gsq"] + 0.3
    assert table["mcr"]["lpc"] < 0.7 * table["none"]["lpc"]


# -- the prior -----------------------------------------------------------------------------------


def test_the_whitened_prior_is_the_whitened_principal_components_of_the_features(linear, images):
    linear.whiten(images)
    assert isinstance(linear.prior, WhitenedPrior)
    features = linear.features(images).flatten(0, 1)
    coordinates = (features - linear.prior.mean) @ linear.prior.axes
    assert torch.allclose(torch.cov(coordinates.T), torch.eye(16), atol=1e-3)
    centred = (features - features.mean(0)).double().numpy()
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    ours = F.normalize(linear.prior.axes.double(), dim=0).T.numpy()
    assert np.abs((ours * axes[:16]).sum(1)) == pytest.approx(np.ones(16), abs=1e-3)
    assert torch.equal(linear.prior(features[None]), sphere(coordinates[None]))


def test_principal_axes_whiten():
    torch.manual_seed(0)
    mixed = torch.randn(4000, 6) @ torch.randn(6, 6)
    mean, axes = vfm.principal_axes(mixed, 4)
    assert torch.allclose(torch.cov(((mixed - mean) @ axes).T), torch.eye(4), atol=1e-3)


def test_low_passing_leaves_constants_and_goes_as_far_as_its_strength():
    h = torch.randn(2, 64, 5)
    assert torch.equal(low_passed(h, 0.0), h)
    flat = torch.randn(2, 1, 5).expand(2, 64, 5)
    assert torch.allclose(low_passed(flat, 1.0), flat, atol=1e-6)
    assert torch.allclose(low_passed(h, 0.4), h + 0.4 * (low_passed(h, 1.0) - h), atol=1e-6)
    rows = torch.arange(8.0).repeat_interleave(8).view(1, 64, 1)
    roughness = [low_passed(h, s).view(2, 8, 8, 5).diff(dim=1).square().mean() for s in (0.0, 0.4, 1.0)]
    assert roughness[0] > roughness[1] > roughness[2]
    assert torch.allclose(low_passed(rows, 1.0).view(8, 8)[3:5], rows.view(8, 8)[3:5], atol=0.05)  # slopes stay


def test_the_refined_prior_is_held_to_low_passed_structure_and_to_being_readable():
    torch.manual_seed(0)
    prior, h = RefinedPrior(8, 4, 64, dim=16, depth=1), torch.randn(3, 64, 8)
    z = prior(h)
    assert (z.norm(dim=-1) - 2).abs().max() < 1e-5
    parts = prior.losses(h)
    unit, smooth = (F.normalize(a, dim=-1) for a in (z, low_passed(h)))
    gram = (torch.einsum("bnd,bmd->bnm", unit, unit) - torch.einsum("bnd,bmd->bnm", smooth, smooth)).square()
    assert parts["gram"].item() == pytest.approx(gram.mean().item(), rel=1e-5)
    assert parts["rep"].item() == pytest.approx((prior.reconstruct(z) - h).square().mean().item(), rel=1e-5)
    alike = torch.randn(3, 1, 8).expand(3, 64, 8)
    assert ssr(alike, low_passed(alike)).item() == pytest.approx(0, abs=1e-6)


def test_stage_r_learns_to_keep_structure_and_to_be_read():
    torch.manual_seed(0)
    prior, h = RefinedPrior(8, 4, 16, dim=16, depth=1), torch.randn(8, 16, 8)
    first = {name: part.item() for name, part in prior.losses(h).items()}
    optimizer = torch.optim.Adam(prior.parameters(), lr=3e-3)
    for _ in range(60):
        parts = prior.losses(h)
        optimizer.zero_grad()
        sum(parts.values()).backward()
        optimizer.step()
    assert all(parts[name].item() < 0.9 * value for name, value in first.items())


def test_started_linear_it_is_the_pca_of_patches_by_numpy(linear):
    """15 components of 4-px patches."""
    pictures = drawn(60)
    linear.start_linear(pictures)
    linear.to_latent.weight.data.zero_()
    linear.to_latent.bias.data.zero_()
    with torch.no_grad():
        decoded = linear.decoder(linear.encode_tokens(pictures))
    patches = patchify(pictures, 4).flatten(0, 1).double().numpy()
    centred = patches - patches.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    best = np.square(centred - centred @ axes[:15].T @ axes[:15]).mean()
    # The chart is clipped far from the pole, so a few extreme patches lose a little more.
    assert 0.999 * best <= float((decoded - pictures).square().mean()) < 1.15 * best


def test_only_a_tokenizer_with_linear_paths_starts_linear(small, images):
    with pytest.raises(ValueError, match="linear paths"):
        small.start_linear(images)


# -- backbones and the sizes that have a name ----------------------------------------------------


@pytest.mark.parametrize("name", ["conv/16/192", "vit/a/b", "resnet/3/4/5", "", "conv/16/192/2/1"])
def test_a_backbone_that_nobody_knows_is_told(name):
    with pytest.raises(UsageError, match="no backbone"):
        vfm.build(name)


def test_a_backbone_that_is_no_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(WeightsError, match="neither a folder"):
        vfm.build(f"hf:{tmp_path / 'none'}")


@pytest.mark.parametrize("name", ["conv/4/16/1", "vit/32/4/16/1/2"])
def test_features_of_a_backbone_have_no_mean_and_unit_scale(name, images):
    features = vfm.frozen(vfm.build(name))(images)
    assert features.shape == (24, 64, 16)
    assert features.mean(-1).abs().max() < 1e-5
    assert torch.allclose(features.var(-1, unbiased=False), torch.ones(24, 64), atol=1e-2)


def dinov2(**changes: int) -> vfm.DINOv2:
    """A random DINOv2 with registers: the class of transformers, 24 wide."""
    torch.manual_seed(0)
    tiny = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    model = vfm.DINOv2.from_config(tiny | {"num_register_tokens": 4} | changes)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    return model.eval()


@torch.no_grad()
def test_features_of_dinov2_are_its_patches_by_a_norm_without_affine_of_a_224_px_picture():
    backbone, pictures = dinov2(), torch.rand(2, 3, 256, 256) * 2 - 1
    shown = []
    backbone.model.embeddings.register_forward_pre_hook(lambda module, inputs: shown.append(inputs[0]))
    features = backbone(pictures)
    assert shown[0].shape == (2, 3, 224, 224)
    assert features.shape == (2, 256, 24)
    whole = backbone.model(shown[0], output_hidden_states=True)
    assert torch.allclose(features, F.layer_norm(whole.hidden_states[-1][:, 5:], (24,), eps=1e-6), atol=1e-5)
    assert not torch.allclose(features, whole.last_hidden_state[:, 5:], atol=0.1)
    backbone.model.layernorm.weight.fill_(1)
    backbone.model.layernorm.bias.zero_()
    assert torch.allclose(features, backbone.model(shown[0]).last_hidden_state[:, 5:], atol=1e-5)


@torch.no_grad()
def test_each_feature_of_dinov2_lies_where_its_16_pixels_are_and_colours_are_those_of_imagenet():
    backbone, picture = dinov2(num_hidden_layers=0), torch.zeros(1, 3, 256, 256)
    changed = picture.clone()
    changed[..., 5 * 16 : 6 * 16, 11 * 16 : 12 * 16] = 1.0
    moved = (backbone(changed) - backbone(picture)).norm(dim=-1)[0]
    assert moved.argmax() == 5 * 16 + 11
    shown = []
    backbone.model.embeddings.register_forward_pre_hook(lambda module, inputs: shown.append(inputs[0]))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    backbone((2 * mean - 1).view(1, 3, 1, 1).expand(1, 3, 256, 256))
    backbone((2 * (mean + std) - 1).view(1, 3, 1, 1).expand(1, 3, 256, 256))
    assert shown[0].abs().max() < 1e-5
    assert torch.allclose(shown[1], torch.ones(()), atol=1e-5)


@torch.no_grad()
def test_the_full_size_works_with_a_tiny_dinov2_in_it():
    model = preset("full", vfm=dinov2(), dim=32, depth=1, modulator_depth=1, heads=2).eval()
    pictures = torch.rand(1, 3, 256, 256) * 2 - 1
    latents = model.encode(pictures)
    assert latents.shape == (1, 32, 16, 16)
    assert model.decode(latents).shape == pictures.shape
    assert set(model.training_forward(pictures, torch.Generator()).terms) == {"ssr", "scr", "mcr"}


def test_the_full_size_has_the_parameters_of_the_paper():
    """DINOv2-L with registers, six modulating blocks, and a decoder of a ViT-L."""
    c, layers = 1024, 24
    with torch.device("meta"):
        large = {"hidden_size": c, "num_hidden_layers": layers, "num_attention_heads": 16, "image_size": 518}
        backbone = vfm.DINOv2.from_config(large | {"patch_size": 14, "num_register_tokens": 4})
        model = preset("full", vfm=backbone)
    block = 12 * c * c + 13 * c  # weights; biases (9) and norms (4)
    ends = 3 * 14 * 14 * c + c + (37 * 37 + 1) * c + (1 + 1 + 4) * c + 2 * c  # patches, places, tokens, the last norm
    assert parameter_count(model.vfm) == layers * (block + 2 * c) + ends  # 304 M
    assert parameter_count(model.decoder) == pytest.approx(layers * block, rel=0.01)
    assert parameter_count(model.modulator) == pytest.approx(6 * (block + 4 * c * c), rel=0.05)
    assert 700e6 < parameter_count(model) < 750e6


@pytest.mark.parametrize("name", sorted(set(PRESETS) - {"full"}))
@torch.no_grad()
def test_every_size_encodes_and_decodes_its_pictures(name):
    torch.manual_seed(0)
    model = preset(name).eval()
    pictures = torch.rand(1, 3, model.size, model.size) * 2 - 1
    assert model.decode(model.encode(pictures)).shape == pictures.shape


# -- what cannot be encoded ----------------------------------------------------------------------

BAD = {
    "other size": (torch.zeros(1, 3, 48, 32), "32 x 48 pixels; this tokenizer takes 32 x 32"),
    "no batch": (torch.zeros(3, 32, 32), "RGB, channels first"),
    "channels last": (torch.zeros(1, 32, 32, 3), "RGB, channels first"),
    "grey": (torch.zeros(1, 1, 32, 32), "RGB, channels first"),
    "transparent": (torch.zeros(1, 4, 32, 32), "RGB, channels first"),
    "bytes": (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "127.5"),
    "not divided": (torch.full((1, 3, 32, 32), 200.0), "reach 200"),
    "nothing": (torch.zeros(0, 3, 32, 32), "no picture"),
    "nan": (torch.full((1, 3, 32, 32), float("nan")), "NaN"),
    "infinity": (torch.full((1, 3, 32, 32), float("inf")), "NaN or infinity"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_batch_of_pictures_is_refused_in_one_line(name, small):
    bad, word = BAD[name]
    with pytest.raises(ImageError) as refused:
        small.encode(bad)
    assert word in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("bad", [torch.zeros(1, 8, 4, 4), torch.zeros(8, 8, 8), torch.full((1, 8, 8, 8), float("nan"))])
def test_what_are_no_latents_is_refused(bad, small):
    with pytest.raises(ImageError, match="latents"):
        small.decode(bad)
