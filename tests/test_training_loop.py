"""The run of a training: its dtype, its schedule, several optimisers and backward passes, several processes."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from scope.errors import ScopeError, UsageError
from scope.nn.ema import EMA
from scope.nn.weights import read
from scope.training import loop, precision
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine

CONFIG = TrainConfig(steps=6, batch=4, lr=1e-2, warmup=2, save_every=2, log_every=2, dtype="fp32")


def train(folder: Path, config: TrainConfig = CONFIG, parts: int = 1, stop: int | None = None) -> nn.Module:
    """Fit two networks by turns, each with an optimiser of its own; return the average of the first."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model, other = nn.Linear(3, 2).to(run.device), nn.Linear(2, 1).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    other_optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    run.track(other=other, other_optimizer=other_optimizer)
    forward, judge = run.parallel(model), run.parallel(other)
    for step in run.steps():
        if step == stop:
            raise KeyboardInterrupt
        x = torch.randn(config.batch, 3, generator=torch.Generator().manual_seed(step))[list(run.samples)]
        optimizer.zero_grad()
        for part, some in zip(run.parts(parts, forward), x.chunk(parts), strict=True):
            assert part in range(parts)
            run.backward(other(forward(some)).square().mean() / parts)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)
        other_optimizer.zero_grad()
        run.backward((judge(model(x).detach()) - 1).square().mean())
        other_optimizer.step()
        run.log(step, grad=grad)
        run.checkpoint(step)
    run.write(ema.model, folder / "net.safetensors")
    return ema.model


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def same(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


# -- dtype ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("bf16", "fp32", "dtype"), [(1.0, 2.0, "bf16"), (2.0, 1.0, "fp32"), (1.0, 1.0, "fp32")])
def test_the_faster_dtype_is_chosen_from_the_two_times(bf16, fp32, dtype):
    assert precision.faster(bf16=bf16, fp32=fp32) == dtype


def test_a_matmul_is_timed_in_both_dtypes():
    seconds = precision.seconds_of_matmul(torch.device("cpu"))
    assert set(seconds) == {"bf16", "fp32"}
    assert min(seconds.values()) > 0


def test_auto_measures_once_and_a_resumed_training_keeps_its_dtype(tmp_path, monkeypatch):
    config = CONFIG.model_copy(update={"dtype": "auto"})
    monkeypatch.setattr(loop, "seconds_of_matmul", lambda device: {"bf16": 1.0, "fp32": 2.0})
    run = Run(tmp_path, config)
    assert run.dtype == "bf16"
    assert run.autocast().fast_dtype == torch.bfloat16
    kept = json.loads((tmp_path / "environment.json").read_text())
    assert (kept["dtype"], kept["seconds_of_matmul"]) == ("bf16", {"bf16": 1.0, "fp32": 2.0})
    monkeypatch.setattr(loop, "seconds_of_matmul", lambda device: pytest.fail("it was measured again"))
    assert Run(tmp_path, config).dtype == "bf16"


def test_a_dtype_that_is_given_is_taken_and_not_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "seconds_of_matmul", lambda device: pytest.fail("it was measured"))
    assert Run(tmp_path, CONFIG).dtype == "fp32"


# -- steps ---------------------------------------------------------------------------------------


def test_the_schedule_rises_and_falls_in_closed_form():
    config = CONFIG.model_copy(update={"steps": 10, "warmup": 4})
    optimizer = adamw(nn.Linear(1, 1), config)
    schedule, rates = warmup_cosine(optimizer, config), []
    for _ in range(config.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    cosine = [0.02 + 0.98 * math.cos(math.pi * k / 20) ** 2 for k in range(10)]  # the half-angle form
    assert rates == pytest.approx([config.lr * min(1, (k + 1) / 4) * c for k, c in enumerate(cosine)])


def test_only_matrices_decay():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2)).requires_grad_()
    decayed, rest = adamw(model, CONFIG).param_groups
    assert [p.ndim for p in decayed["params"]] == [2]
    assert [p.ndim for p in rest["params"]] == [1, 1, 1]
    assert (decayed["weight_decay"], rest["weight_decay"]) == (CONFIG.weight_decay, 0)


def test_the_gradients_of_two_halves_add_up_to_those_of_the_whole(tmp_path):
    whole, halves = train(tmp_path / "whole"), train(tmp_path / "halves", parts=2)
    for a, b in zip(whole.parameters(), halves.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.parametrize("stop", [1, 2, 5])
def test_resumed_equals_uninterrupted_whatever_is_tracked(tmp_path, stop):
    whole = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "stopped", stop=stop)
    assert same(whole, train(tmp_path / "stopped"))
    for row, resumed in zip(metrics(tmp_path / "whole"), metrics(tmp_path / "stopped"), strict=True):
        assert {"step", "lr", "other_lr", "grad"} <= set(row)
        assert all(resumed[name] == value for name, value in row.items() if name != "samples_per_s")


def test_a_checkpoint_that_knows_nothing_of_a_part_says_so(tmp_path):
    train(tmp_path)
    with pytest.raises(ScopeError, match="knows no 'critic'"):
        Run(tmp_path, CONFIG).track(critic=nn.Linear(1, 1))


# -- processes -----------------------------------------------------------------------------------


def torchrun(*command: str) -> str:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", *command]
    done = subprocess.run(launch, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_end_where_one_ends(tmp_path):
    torchrun(__file__, str(tmp_path / "two"))
    assert json.loads((tmp_path / "two" / "environment.json").read_text())["processes"] == 2
    train(tmp_path / "one")
    one, two = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["parts"] for name in ("one", "two"))
    for part in ("model", "other", "ema"):
        assert all(torch.allclose(two[part][name], value, atol=1e-6) for name, value in one[part].items())


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["judge", "pae"])
def test_two_processes_train_a_recipe_and_write_one_set_of_files(recipe, tmp_path):
    folder = tmp_path / "two"
    said = torchrun("-m", "scope", "train", recipe, "--preset", "tiny", "--out", str(folder))
    assert said.count(str(folder)) == 1
    assert json.loads((folder / "environment.json").read_text())["processes"] == 2
    assert [row["step"] for row in metrics(folder)] == [1, 2]
    weights = read(folder / f"{recipe}.safetensors")
    assert all(bool(torch.isfinite(value.float()).all()) for value in weights.values())


def test_a_batch_that_does_not_divide_among_the_processes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(loop.Accelerator, "num_processes", 3)
    with pytest.raises(UsageError, match="batch=4"):
        Run(tmp_path, CONFIG)


if __name__ == "__main__":  # what each of two processes runs
    train(Path(sys.argv[1]))
