"""The chores of a training: device, seeds, schedule, checkpoints, metrics, progress. The loops are elsewhere.

A training is its config: rerunning the same command in the same folder continues it, and ends with the
same weights as an uninterrupted run, because data and noise come from (seed, step) and never from a clock.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic

import numpy as np
import torch
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

from scope.errors import ScopeError, UsageError
from scope.nn.ema import EMA, M
from scope.nn.images import device
from scope.specification import Model


class TrainConfig(Model):
    """What every recipe has."""

    seed: int = 0
    steps: int = Field(gt=0, description="optimiser steps")
    batch: int = Field(gt=0, description="samples per step")
    lr: float = Field(gt=0, description="peak learning rate")
    warmup: int = Field(default=200, ge=0, description="steps of linear warm-up")
    weight_decay: float = 0.01
    ema: float = Field(default=0.999, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm")
    save_every: int = Field(default=500, gt=0)
    log_every: int = Field(default=20, gt=0)
    bf16: bool = True


class TrainingRun(Generic[M]):
    """One folder: config.json, metrics.jsonl, checkpoint.pt, samples/.

    `also` names what else a training carries from step to step, such as a critic and its optimiser.
    """

    def __init__(
        self,
        folder: Path,
        config: TrainConfig,
        model: M,
        also: Mapping[str, nn.Module | torch.optim.Optimizer] | None = None,
    ) -> None:
        self.also = also or {}
        self.folder, self.config, self.device = folder, config, device()
        torch.set_flush_denormal(True)
        folder.mkdir(parents=True, exist_ok=True)
        self._same_config()
        self.model: M = model.to(self.device)
        decayed = [p for p in model.parameters() if p.ndim >= 2 and p.requires_grad]
        rest = [p for p in model.parameters() if p.ndim < 2 and p.requires_grad]
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.95), fused=True)
        self.ema = EMA(self.model, config.ema)
        self.step = 0
        self._sums: dict[str, float] = {}
        self._resume()

    # -- the loop --------------------------------------------------------------------------------

    def steps(self) -> Iterator[int]:
        """Yield the steps that are left; save on the way and at the end."""
        began, first = time.monotonic(), self.step
        while self.step < self.config.steps:
            yield self.step
            self.step += 1
            if self.step % self.config.log_every == 0:
                rate = (self.step - first) * self.config.batch / (time.monotonic() - began)
                self._write_metrics(rate)
            if self.step % self.config.save_every == 0 or self.step == self.config.steps:
                self._save()

    def rng(self, step: int) -> np.random.Generator:
        """Return the numpy generator of a step."""
        return np.random.default_rng((self.config.seed, step))

    def torch_rng(self, step: int) -> torch.Generator:
        """Return the torch generator of a step (on the CPU, so that every device draws the same)."""
        return torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)

    def autocast(self) -> torch.autocast:
        """Return the context in which the forward pass runs."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.bf16)

    def update(self, loss: Tensor, **metrics: Tensor | float) -> None:
        """Take one optimiser step on `loss` and remember the metrics.

        Raises: ScopeError if the loss is not finite; the last checkpoint is kept.
        """
        if not torch.isfinite(loss):
            raise ScopeError(f"the loss is {loss.item()} at step {self.step}; lower lr and run the same command again")
        for group in self.optimizer.param_groups:
            group["lr"] = self._lr()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip)
        self.optimizer.step()
        self.ema.update(self.model, self.step)
        for name, value in {"loss": loss, "grad": norm, **metrics}.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(torch.as_tensor(value).detach())

    def _lr(self) -> float:
        warm = min(1.0, (self.step + 1) / max(1, self.config.warmup))
        done = self.step / self.config.steps
        return self.config.lr * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))

    # -- files -----------------------------------------------------------------------------------

    def save_grid(self, name: str, images: Tensor, columns: int = 8) -> None:
        """Write images (b, 3, h, w) in [-1, 1] as one PNG under samples/."""
        grid = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        rows = [np.concatenate(list(grid[i : i + columns]), 1) for i in range(0, len(grid) - columns + 1, columns)]
        (self.folder / "samples").mkdir(exist_ok=True)
        Image.fromarray(np.concatenate(rows)).save(self.folder / "samples" / f"{name}.png")

    def _same_config(self) -> None:
        path, now = self.folder / "config.json", self.config.model_dump_json(indent=1)
        if path.exists() and path.read_text() != now:
            raise UsageError(f"{path} holds another configuration; give another --out or the same options")
        path.write_text(now)

    def _write_metrics(self, rate: float) -> None:
        row = {k: round(v / self.config.log_every, 5) for k, v in self._sums.items()}
        self._sums = {}
        line = {"step": self.step, "samples_per_s": round(rate, 1), "lr": round(self._lr(), 7), **row}
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        left = (self.config.steps - self.step) * self.config.batch / rate
        shown = "  ".join(f"{k} {v:.4f}" for k, v in row.items())
        print(f"step {self.step}/{self.config.steps}  {rate:.0f}/s  {left / 60:.0f} min left  {shown}", flush=True)

    def _save(self) -> None:
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "ema": self.ema.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "sums": self._sums,
            "also": {name: thing.state_dict() for name, thing in self.also.items()},
        }
        torch.save(state, self.folder / "checkpoint.tmp")
        (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def _resume(self) -> None:
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.ema.model.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name, thing in self.also.items():
            thing.load_state_dict(state["also"][name])
        self.step, self._sums = state["step"], state["sums"]
        print(f"resuming at step {self.step} of {self.config.steps}", flush=True)
