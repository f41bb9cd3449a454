"""PAE as a model of diffusers, and the autoencoders of diffusers as tokenizers. Nothing is ever downloaded."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from torch import nn

from scope.errors import ImageError, WeightsError
from scope.nn.transformer import to_tokens
from scope.nn.weights import write
from scope.protocols import Tokenizer
from scope.tokenizers import pae
from scope.tokenizers.hub import AutoencoderPAE
from scope.tokenizers.pretrained import PretrainedAutoencoder
from scope.tokenizers.vfm import DINOv2

CLOSEUP = pae.PRESETS["closeup"] | {"dim": 32, "depth": 1, "vfm": "conv/4/32/1"}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.fixture
def model() -> AutoencoderPAE:
    torch.manual_seed(0)
    made = AutoencoderPAE(**CLOSEUP).eval()
    made.set_statistics(3 * torch.randn(2, 64, 8) + 1)
    return made


# -- PAE -----------------------------------------------------------------------------------------


@torch.no_grad()
def test_what_is_saved_comes_back_bit_by_bit(model, images, tmp_path):
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "diffusion_pytorch_model.safetensors"}
    back = AutoencoderPAE.from_pretrained(tmp_path)
    assert isinstance(back, Tokenizer)
    assert not back.training
    old, new = model.state_dict(), back.state_dict()
    assert old.keys() == new.keys()
    assert all(torch.equal(old[key], new[key]) for key in old)
    latents = model.encode(images)
    assert torch.equal(back.encode(images), latents)
    assert torch.equal(back.decode(latents), model.decode(latents))


def test_config_json_holds_the_constructor_arguments(model, tmp_path):
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["_class_name"] == "AutoencoderPAE"
    assert {key: config[key] for key in CLOSEUP} == CLOSEUP


@torch.no_grad()
def test_it_is_the_same_tokenizer_as_without_diffusers(model, images):
    bare = pae.PAE(**CLOSEUP).eval()
    bare.load_state_dict(model.state_dict())
    assert torch.equal(bare.encode(images), model.encode(images))
    assert isinstance(model.vfm, nn.Module)  # and not the word in config.json
    assert (model.config["vfm"], model.config["decoder"]) == ("conv/4/32/1", "pixels")


@torch.no_grad()
def test_a_vfm_from_a_hub_travels_inside_and_is_not_asked_for_again(tmp_path):
    tiny = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}
    hub = tmp_path / "dinov2"
    DINOv2.from_config(tiny | {"num_register_tokens": 4}).model.save_pretrained(hub)
    sizes = pae.PRESETS["full"] | {"vfm": f"hf:{hub}", "dim": 32, "depth": 1, "modulator_depth": 1, "heads": 2}
    model = AutoencoderPAE(**sizes).eval()
    model.save_pretrained(tmp_path / "pae")
    for path in hub.iterdir():
        path.unlink()
    back = AutoencoderPAE.from_pretrained(tmp_path / "pae")
    pictures = torch.rand(1, 3, 256, 256) * 2 - 1
    assert torch.equal(back.encode(pictures), model.encode(pictures))
    assert not any(p.requires_grad for p in back.vfm.parameters())


def damaged(folder: Path, name: str) -> None:
    weights = folder / "diffusion_pytorch_model.safetensors"
    tensors = load_file(weights)
    if name == "another preset":
        save_file(pae.preset("closeup", **CLOSEUP | {"d": 4}).state_dict(), weights)
    elif name == "another depth":
        save_file(pae.preset("closeup", **CLOSEUP | {"depth": 2}).state_dict(), weights)
    elif name == "a missing tensor":
        del tensors["decoder.out.bias"]
        save_file(tensors, weights)
    elif name == "nan":
        tensors["decoder.out.bias"][0] = float("nan")
        save_file(tensors, weights)
    elif name == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif name == "no weights":
        weights.unlink()
    elif name == "no config":
        (folder / "config.json").unlink()
    elif name == "config of words":
        (folder / "config.json").write_text("words")


@pytest.mark.parametrize(
    ("name", "word"),
    {
        "another preset": "belong to another preset",
        "another depth": "belong to another preset",
        "a missing tensor": "belong to another preset",
        "nan": "NaN",
        "truncated": "holds no tokenizer",
        "no weights": "holds no tokenizer",
        "no config": "holds no tokenizer",
        "config of words": "holds no tokenizer",
    }.items(),
)
def test_a_folder_that_is_damaged_is_refused_in_one_line(name, word, model, tmp_path):
    model.save_pretrained(tmp_path)
    damaged(tmp_path, name)
    with pytest.raises(WeightsError, match=word) as refused:
        AutoencoderPAE.from_pretrained(tmp_path)
    assert "\n" not in str(refused.value)


@torch.no_grad()
def test_what_scope_train_writes_can_be_read_and_of_another_size_is_refused(images, tmp_path):
    torch.manual_seed(0)
    trained = pae.preset("closeup").eval()
    write(trained, tmp_path / "pae.safetensors")
    back = AutoencoderPAE.of("closeup", tmp_path / "pae.safetensors")
    assert torch.allclose(back.encode(images), trained.encode(images), atol=0.05)  # half precision
    with pytest.raises(WeightsError, match="another model or preset"):
        AutoencoderPAE.of("tiny", tmp_path / "pae.safetensors")


@pytest.mark.weights
@torch.no_grad()
def test_the_shipped_weights_are_read(tmp_path):
    model = AutoencoderPAE.shipped()
    pictures = torch.rand(1, 3, 128, 128) * 2 - 1
    assert torch.equal(model.encode(pictures), pae.load()[0].encode(pictures))
    model.save_pretrained(tmp_path)
    assert torch.equal(AutoencoderPAE.from_pretrained(tmp_path).encode(pictures), model.encode(pictures))


def test_pushing_to_the_hub_uploads_config_weights_and_card(model, monkeypatch):
    from diffusers.utils import hub_utils

    sent: dict[str, object] = {}

    def upload_folder(*, repo_id: str, folder_path: str, **rest: object) -> str:
        sent["repository"] = repo_id
        sent["files"] = sorted(path.name for path in Path(folder_path).iterdir())
        sent["equal"] = torch.equal(
            load_file(Path(folder_path) / "diffusion_pytorch_model.safetensors")["latent_std"], model.latent_std
        )
        return "sent"

    card = SimpleNamespace(save=lambda path: Path(path).write_text("card"))
    monkeypatch.setattr(hub_utils, "create_repo", lambda name, **rest: SimpleNamespace(repo_id=name))
    monkeypatch.setattr(hub_utils, "upload_folder", upload_folder)
    monkeypatch.setattr(hub_utils, "load_or_create_model_card", lambda *given, **rest: card)
    monkeypatch.setattr(hub_utils, "populate_model_card", lambda given: given)
    for module in ("diffusers.utils.hub_utils", "diffusers.models.modeling_utils"):
        for name in ("create_repo", "load_or_create_model_card", "populate_model_card"):
            if hasattr(sys.modules[module], name):
                monkeypatch.setattr(sys.modules[module], name, getattr(hub_utils, name))
    model.push_to_hub("you/pae")
    assert sent == {
        "repository": "you/pae",
        "files": ["README.md", "config.json", "diffusion_pytorch_model.safetensors"],
        "equal": True,
    }


@pytest.mark.heavy
def test_the_tokenizer_itself_does_not_wait_for_diffusers():
    look = "import sys, scope.tokenizers.pae, scope.training.recipes.pae; print('diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], capture_output=True, text=True).stdout.strip() == "False"


# -- AutoencoderKL -------------------------------------------------------------------------------


def autoencoder(**changes: object) -> AutoencoderKL:
    """A random one with a factor of 4 and 6 channels."""
    torch.manual_seed(0)
    stages = {"block_out_channels": (8, 16, 16), "layers_per_block": 1, "norm_num_groups": 4}
    kinds = {"down_block_types": ("DownEncoderBlock2D",) * 3, "up_block_types": ("UpDecoderBlock2D",) * 3}
    return AutoencoderKL(
        **stages | kinds | {"latent_channels": 6, "scaling_factor": 1.5, "shift_factor": 0.25} | changes
    )


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    autoencoder().save_pretrained(tmp_path / "vae")
    return tmp_path / "vae"


@pytest.mark.parametrize(("height", "width"), [(32, 32), (48, 16), (4, 64)])
@torch.no_grad()
def test_a_pretrained_autoencoder_is_a_tokenizer_of_any_multiple_of_its_factor(saved, height, width):
    model = PretrainedAutoencoder.load(saved)
    assert isinstance(model, Tokenizer)
    pictures = torch.rand(2, 3, height, width) * 2 - 1
    latents = model.encode(pictures)
    assert latents.shape == (2, 6, height // 4, width // 4)
    decoded = model.decode(latents)
    assert decoded.shape == pictures.shape
    assert decoded.abs().max() <= 1
    assert torch.equal(model.encode(pictures), latents)  # the mean, and no draw


@torch.no_grad()
def test_its_latents_are_scaled_as_the_pipelines_of_diffusers_scale_them(images):
    raw = autoencoder().eval()
    mu = raw.encode(images).latent_dist.mean
    assert torch.allclose(PretrainedAutoencoder(raw).encode(images), (mu - 0.25) * 1.5, atol=1e-5)
    plain = autoencoder(shift_factor=None).eval()
    assert torch.allclose(PretrainedAutoencoder(plain).encode(images), mu * 1.5, atol=1e-5)
    means, stds = [0.1 * i for i in range(6)], [1.0 + i for i in range(6)]
    each = PretrainedAutoencoder(autoencoder(latents_mean=means, latents_std=stds).eval())
    expected = (mu - torch.tensor(means).view(1, 6, 1, 1)) * 1.5 / torch.tensor(stds).view(1, 6, 1, 1)
    assert torch.allclose(each.encode(images), expected, atol=1e-5)
    for model in (PretrainedAutoencoder(raw), each):
        assert torch.allclose(model.decode(model.encode(images)), raw.decode(mu).sample.clamp(-1, 1), atol=1e-4)


@torch.no_grad()
def test_measured_statistics_make_unit_scale_and_change_no_picture(saved, images):
    model = PretrainedAutoencoder.load(saved)
    before = model.decode(model.encode(images))
    model.measure(images)
    z = to_tokens(model.encode(images)).flatten(0, 1)
    assert z.mean(0).abs().max() < 1e-4
    assert (z.std(0) - 1).abs().max() < 1e-4
    assert torch.allclose(model.decode(model.encode(images)), before, atol=1e-4)


def test_a_pretrained_autoencoder_never_learns(saved):
    model = PretrainedAutoencoder.load(saved).train()
    assert not model.model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_what_it_cannot_encode_or_decode_is_refused(saved):
    model = PretrainedAutoencoder.load(saved)
    bad = {
        "34 x 32 pixels; both sides must be multiples of 4": torch.zeros(1, 3, 32, 34),
        "RGB, channels first": torch.zeros(1, 1, 32, 32),
        "NaN": torch.full((1, 3, 32, 32), float("nan")),
        "127.5": torch.full((1, 3, 32, 32), 255.0),
    }
    for word, pictures in bad.items():
        with pytest.raises(ImageError, match=word):
            model.encode(pictures)
    for latents in (torch.zeros(1, 4, 8, 8), torch.zeros(6, 8, 8), torch.full((1, 6, 8, 8), float("inf"))):
        with pytest.raises(ImageError, match="latents"):
            model.decode(latents)


def test_a_folder_without_an_autoencoder_is_refused(model, tmp_path):
    with pytest.raises(WeightsError, match="no AutoencoderKL"):
        PretrainedAutoencoder.load(tmp_path / "none")
