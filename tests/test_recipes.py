"""Every recipe at its tiny size: it runs, writes weights, and resumed equals uninterrupted."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import phrases
import pytest
import torch
from safetensors.torch import load_file, save_file

from scope.errors import ScopeError, UsageError, WeightsError
from scope.models.binding import Binding
from scope.nn.weights import fill, read, write
from scope.tokenizers import lapped
from scope.tokenizers.pae import preset
from scope.training import loop
from scope.training.data import bound_scenes
from scope.training.recipes import binding as binding_trainer
from scope.training.recipes import closeup_classifier, prior
from scope.training.recipes import pae as pae_trainer
from scope.training.recipes import vfm as vfm_trainer

#: Recipe -> how many trainings one after another are in it.
RECIPES = {
    "vfm": 1,
    "closeup_classifier": 1,
    "pae": 4,
    "detector": 1,
    "judge": 1,
    "reward": 1,
    "features": 1,
    "binding": 1,
    "flow": 1,
    "layout": 1,
    "lapped": 1,
    "fine": 1,
}
BOUND = {"tokenizer": "lapped", "binding": "binding"}  # files that recipes on regions are given
ARCHITECTURES = get_args(pae_trainer.Architecture)
TINY = pae_trainer.PRESETS["tiny"]


@pytest.fixture(scope="module", autouse=True)
def table() -> Iterator[None]:
    with phrases.unread():
        yield


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a tokenizer of scenes that nobody trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("pae") / "pae.safetensors"
    write(preset("tiny"), path)
    latents = lapped.preset("tiny")
    write(latents, path.with_name("lapped.safetensors"))
    with phrases.unread():
        binding = Binding(8, latents.d, wide=32)
        binding.fit(bound_scenes.words())
        write(binding, path.with_name("binding.safetensors"))
    return path


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VFM, perceptual network and refined prior of the tiny recipes, trained once."""
    folder = tmp_path_factory.mktemp("shared")
    pae_trainer.train(TINY, folder / "first", folder)
    return folder


def config_of(name: str, tokenizer: Path) -> loop.TrainConfig:
    config: loop.TrainConfig = import_module(f"scope.training.recipes.{name}").PRESETS["tiny"]
    files = {part: str(tokenizer.with_name(f"{file}.safetensors")) for part, file in BOUND.items()}
    given = files | {"tokenizer_preset": "tiny"}
    return config.model_copy(update={k: v for k, v in given.items() if k in type(config).model_fields})


def interrupted(train: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """Kill a training after the first checkpoint of each of its parts, run it to its end, and return how often."""
    save, killed_in = loop.Run._save, set[Path]()

    def killed(self: loop.Run[Any], step: int) -> None:
        save(self, step)
        if self.folder not in killed_in:
            killed_in.add(self.folder)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(loop.Run, "_save", killed)
        while True:
            try:
                train()
            except KeyboardInterrupt:
                continue
            return len(killed_in)


def same(one: Path, other: Path) -> bool:
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


@pytest.mark.heavy
@pytest.mark.parametrize("name", RECIPES)
def test_resumed_equals_uninterrupted(name, tokenizer, tmp_path, monkeypatch):
    trainer, config = import_module(f"scope.training.recipes.{name}"), config_of(name, tokenizer)
    trainer.train(config, tmp_path / "whole")
    kills = interrupted(lambda: trainer.train(config, tmp_path / "violated"), monkeypatch)
    assert kills == RECIPES[name]
    assert same(*(tmp_path / folder / f"{name}.safetensors" for folder in ("whole", "violated")))


def test_the_tiny_tokenizer_is_trained_with_every_loss_and_the_discriminator_is_kept(shared):
    """So that the test above says something of GAN and MCR, too."""
    assert min(TINY.gan, TINY.mcr, TINY.ssr, TINY.scr, TINY.perceptual) > 0
    assert TINY.gan_from == TINY.mcr_from == 0
    checkpoint = torch.load(shared / "first" / "checkpoint.pt", weights_only=True)
    assert {"discriminator", "d_optimizer"} <= set(checkpoint["parts"])
    moments = checkpoint["parts"]["d_optimizer"]["state"].values()
    assert {int(moment["step"]) for moment in moments} == {2}
    last = json.loads((shared / "first" / "metrics.jsonl").read_text().splitlines()[-1])
    assert {"l1", "perceptual", "ssr", "scr", "mcr", "psnr"} <= set(last)


def test_once_the_encoder_is_frozen_only_the_decoder_learns(shared):
    """So that a generator which started on encoder.safetensors knows the latents of pae.safetensors."""
    before, after = (read(shared / "first" / f"{name}.safetensors") for name in ("encoder", "pae"))
    moved = {key for key in before if not torch.equal(before[key], after[key])}
    assert moved
    assert all(key.startswith("decoder.") for key in moved)


def test_what_was_trained_before_does_not_decide_where_a_tokenizer_starts(shared, tmp_path):
    """The first of several tokenizers that share their parts trains them, and the second finds them."""
    pae_trainer.train(TINY, tmp_path, shared)
    assert same(shared / "first" / "pae.safetensors", tmp_path / "pae.safetensors")


@pytest.mark.heavy
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_trains_its_tokenizer_and_never_its_vfm(architecture, shared, tmp_path):
    config = TINY.model_copy(update={"architecture": architecture, "steps": 3, "warmup": 0})
    pae_trainer.train(config, tmp_path, shared)
    trained = read(tmp_path / "pae.safetensors")
    backbone = read(shared / "vfm" / "vfm.safetensors")
    own = {key.removeprefix("vfm."): value for key, value in trained.items() if key.startswith("vfm.")}
    assert bool(own) == (architecture in ("pae", "rae", "va"))
    assert all(torch.equal(own[key], backbone[key]) for key in own)
    model = pae_trainer.untrained(config, vfm_trainer.PRESETS["tiny"].name)
    fill(model, trained, architecture)
    torch.manual_seed(config.seed)
    start = pae_trainer.untrained(config, vfm_trainer.PRESETS["tiny"].name)
    moved = (model.decoder.out.weight - start.decoder.out.weight).abs().max()
    assert moved > 0
    assert model.latent_std.min() > 0
    assert not torch.equal(model.latent_std, torch.ones(model.d))


def test_what_is_perturbed_and_how_is_the_recipes_to_say(shared):
    options = {"angles": "fixed", "renormalise": False, "share_direction": False, "mcr_share": 0.5}
    model = pae_trainer.untrained(TINY.model_copy(update=options), "conv/4/32/1")
    assert vars(model.perturbation) == {k: v for k, v in options.items() if k != "mcr_share"}
    decoded = []
    model.decoder.register_forward_pre_hook(lambda module, inputs: decoded.append(len(inputs[0])))
    model.training_forward(torch.zeros(8, 3, 32, 32), torch.Generator().manual_seed(0))
    assert decoded == [8, 4, 4]  # the pictures, and MCR's two decodes of half of them


def test_a_raw_prior_is_whitened_from_the_pictures_and_trains_no_stage_of_its_own(shared, tmp_path):
    (tmp_path / "vfm").symlink_to(shared / "vfm")
    (tmp_path / "perceptual").symlink_to(shared / "perceptual")
    pae_trainer.train(TINY.model_copy(update={"prior": "whitened"}), tmp_path)
    assert not (tmp_path / "prior").exists()
    trained = read(tmp_path / "pae.safetensors")
    assert trained["prior.axes"].abs().max() > 0


def test_stage_r_and_its_network_are_kept_beside_each_other(shared):
    recipe = prior.PriorConfig.model_validate_json((shared / "prior" / "config.json").read_text())
    assert recipe.steps == TINY.prior_steps
    inside = {
        k.removeprefix("prior."): v for k, v in read(shared / "first" / "pae.safetensors").items() if "prior" in k
    }
    alone = read(shared / "prior" / "prior.safetensors")
    assert all(torch.equal(alone[key], inside[key]) for key in alone)


def test_a_classifier_is_trained_where_it_is_missing_and_else_read(tmp_path):
    recipe = closeup_classifier.PRESETS["tiny"]
    first = closeup_classifier.load_or_train(recipe, tmp_path)
    when = (tmp_path / "closeup_classifier.safetensors").stat().st_mtime_ns
    again = closeup_classifier.load_or_train(recipe, tmp_path)
    assert (tmp_path / "closeup_classifier.safetensors").stat().st_mtime_ns == when
    image = torch.zeros(1, 3, 32, 32)
    assert [x.shape[1] for x in first(image)] == list(closeup_classifier.CLASSES)
    assert all(torch.equal(a, b) for a, b in zip(first(image), again(image), strict=True))


def test_a_backbone_of_another_recipe_in_the_same_folder_is_refused(tmp_path):
    torch.manual_seed(0)
    write(torch.nn.Linear(2, 2), tmp_path / "vfm" / "vfm.safetensors")
    with pytest.raises(WeightsError, match="another model or preset"):
        pae_trainer.backbone(TINY, tmp_path)


def test_another_configuration_in_the_same_folder_is_refused(tmp_path):
    trainer = import_module("scope.training.recipes.detector")
    config = trainer.PRESETS["tiny"]
    trainer.train(config, tmp_path)
    with pytest.raises(UsageError, match="another configuration"):
        trainer.train(config.model_copy(update={"lr": 0.5}), tmp_path)


def test_a_loss_that_is_not_finite_stops_and_says_so(tmp_path):
    run = loop.Run(tmp_path, loop.TrainConfig(steps=1, batch=1, lr=1.0))
    with pytest.raises(ScopeError, match="lower lr"):
        run.backward(torch.tensor(float("nan")))


def test_a_binding_goes_on_to_another_tokenizer_with_all_but_its_sketch(tokenizer: Path, tmp_path: Path) -> None:
    learnt = read(tokenizer.with_name("binding.safetensors"))
    other = lapped.Lapped(d=5)
    other.start(torch.rand(8, 3, 128, 128) * 2 - 1)
    model = Binding(8, other.d, wide=32)
    binding_trainer.start(model, other, str(tokenizer.with_name("binding.safetensors")))
    now = model.state_dict()
    assert all(torch.equal(now[name], value) for name, value in learnt.items() if not name.startswith("sketch."))
    weight, bias = binding_trainer.read_of(other)
    assert torch.equal(now["sketch.bias"], bias)
    assert torch.equal(now["sketch.weight"][:, : weight.shape[1]], weight)
    assert not now["sketch.weight"][:, weight.shape[1] :].any()
    with pytest.raises(WeightsError, match="binding"):
        binding_trainer.start(Binding(8, 5, wide=16), other, str(tokenizer.with_name("binding.safetensors")))


def test_a_binding_of_fewer_settings_goes_on_with_all_but_those_and_its_sketch(tokenizer: Path, tmp_path: Path) -> None:
    learnt = read(tokenizer.with_name("binding.safetensors"))
    fewer = {name: learnt[name][:, :8].contiguous() for name in ("settings.axes", "setting.weight")}
    save_file(learnt | fewer, tmp_path / "fewer.safetensors")
    other = lapped.Lapped(d=5)
    other.start(torch.rand(8, 3, 128, 128) * 2 - 1)
    model = Binding(8, other.d, wide=32)
    binding_trainer.start(model, other, str(tmp_path / "fewer.safetensors"))
    now, anew = model.state_dict(), ("sketch.", "setting.", "settings.")
    assert all(torch.equal(now[name], value) for name, value in learnt.items() if not name.startswith(anew))
    fitted = Binding(8, other.d, wide=32)
    fitted.fit(binding_trainer.words())
    assert torch.equal(now["settings.axes"], fitted.settings.axes)
