"""Every recipe at its tiny size: it runs, writes weights, and resumed equals uninterrupted."""

from importlib import import_module
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from scope.errors import ScopeError, UsageError
from scope.trainers import pae as pae_trainer
from scope.trainers import run as runs

RECIPES = ("vfm", "pae", "objects", "flow")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pae")
    pae_trainer.train(pae_trainer.PRESETS["tiny"], folder)
    return folder / "pae.safetensors"


def config_of(name: str, tokenizer: Path) -> runs.TrainConfig:
    config = import_module(f"scope.trainers.{name}").PRESETS["tiny"]
    own = {"tokenizer": str(tokenizer), "tokenizer_preset": "tiny"}
    return config.model_copy(update=own) if name == "flow" else config


@pytest.mark.parametrize("name", RECIPES)
def test_resumed_equals_uninterrupted(name, tokenizer, tmp_path, monkeypatch):
    trainer, config = import_module(f"scope.trainers.{name}"), config_of(name, tokenizer)
    trainer.train(config, tmp_path / "whole")

    save = runs.TrainingRun._save

    def killed(self):
        save(self)
        if self.step == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(runs.TrainingRun, "_save", killed)
        with pytest.raises(KeyboardInterrupt):
            trainer.train(config, tmp_path / "broken")
        if name == "pae":  # its VFM was interrupted first
            with pytest.raises(KeyboardInterrupt):
                trainer.train(config, tmp_path / "broken")
    trainer.train(config, tmp_path / "broken")

    whole, broken = (load_file(tmp_path / f / f"{name}.safetensors") for f in ("whole", "broken"))
    assert all(torch.equal(whole[key], broken[key]) for key in whole)


def test_another_configuration_in_the_same_folder_is_refused(tmp_path):
    trainer = import_module("scope.trainers.objects")
    config = trainer.PRESETS["tiny"]
    trainer.train(config, tmp_path)
    with pytest.raises(UsageError, match="another configuration"):
        trainer.train(config.model_copy(update={"lr": 0.5}), tmp_path)


def test_a_loss_that_is_not_finite_stops_and_says_so(tmp_path):
    model = torch.nn.Linear(2, 2)
    run = runs.TrainingRun(tmp_path, runs.TrainConfig(steps=1, batch=1, lr=1.0), model)
    with pytest.raises(ScopeError, match="lower lr"):
        run.update(model(torch.full((1, 2), float("nan"))).sum())
