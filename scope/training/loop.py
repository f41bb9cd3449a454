"""A training's folder: what it resumes from, what it logs, what it shows. The loops are in the recipes.

A training is its config: rerunning the same command in the same folder continues it, and ends with the
same weights as an uninterrupted run, because data and noise come from (seed, step) and never from a clock.

A recipe builds its models, optimisers, schedules and averages, tracks them, and takes its own steps:

    run = Run(folder, config)
    model = Net().to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    for step in run.steps():
        with run.autocast():
            loss = loss_of(forward(samples(run.rng(step), run.batch)))
        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)
        run.log(step, loss=loss, grad=grad)
        run.checkpoint(step)
    run.write(ema.model, folder / "net.safetensors")

One process or many (`torchrun --nproc_per_node 2 -m scope train ...`; on GPUs also `accelerate launch`, which starts a
single process on CPUs): each draws its share of a step's samples from a stream of its own, gradients are averaged
(DDP), and the first process alone writes.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs, broadcast_object_list
from PIL import Image
from pydantic import Field
from torch import Tensor, nn

from scope.errors import ScopeError, UsageError
from scope.files import write_atomic
from scope.nn.images import device
from scope.nn.weights import write
from scope.specification import Model
from scope.training.precision import faster, seconds_of_matmul


class TrainConfig(Model):
    """What every recipe has."""

    seed: int = 0
    steps: int = Field(gt=0, description="optimiser steps")
    batch: int = Field(gt=0, description="samples per step, over all processes")
    lr: float = Field(gt=0, description="peak learning rate")
    warmup: int = Field(default=200, ge=0, description="steps of linear warm-up")
    weight_decay: float = 0.01
    ema: float = Field(default=0.999, ge=0, lt=1)
    clip: float = Field(default=1.0, gt=0, description="largest gradient norm")
    save_every: int = Field(default=500, gt=0)
    log_every: int = Field(default=20, gt=0)
    dtype: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="of the forward passes; auto: whichever this machine multiplies faster"
    )


class Stateful(Protocol):
    """What can be tracked: a model, an optimiser, a schedule, an average of weights."""

    def state_dict(self) -> dict[str, Any]:
        """Return what it carries from step to step."""

    def load_state_dict(self, state: dict[str, Any], /) -> object:
        """Take up what it carried."""


C = TypeVar("C", bound=TrainConfig)


class Run(Generic[C]):
    """One folder: config.json, environment.json, metrics.jsonl, checkpoint.pt, samples/.

    Attributes:
        config: The settings; the folder refuses others.
        device: Where this process trains.
        main: Whether this process is the one that writes.
        processes: How many there are.
        batch: How many samples of a step are this process's.
        dtype: "bf16" or "fp32", as on the first start.
        start: How many steps were taken before.
    """

    def __init__(self, folder: Path, config: C) -> None:
        """Open a folder, new or of an interrupted training.

        Raises: UsageError if the folder holds another configuration, or the batch does not divide among the processes.
        """
        self.folder, self.config = folder, config
        # Recipes may leave parts of a model out of a step; a cache of latents may take hours while the others wait.
        self.accelerator = Accelerator(
            cpu=device().type == "cpu",  # else accelerate forms no group of CPU processes
            mixed_precision="no",  # `autocast` is ours, since each training of a process may have another dtype
            kwargs_handlers=[
                DistributedDataParallelKwargs(find_unused_parameters=True),
                InitProcessGroupKwargs(timeout=timedelta(hours=12)),
            ],
        )
        self.device, self.main = self.accelerator.device, self.accelerator.is_main_process
        self.processes = self.accelerator.num_processes
        self.batch, rest = divmod(config.batch, self.processes)
        if rest:
            raise UsageError(f"batch={config.batch} does not divide among {self.processes} processes")
        torch.set_flush_denormal(True)
        self._keep_config()
        self.dtype = self._keep_environment()
        path = folder / "checkpoint.pt"
        self._restored = torch.load(path, map_location=self.device, weights_only=True) if path.exists() else None
        self._tracked: dict[str, Stateful] = {}
        self._sums: dict[str, float] = self._restored["sums"] if self._restored else {}
        self.start: int = self._restored["step"] if self._restored else 0
        self._began = time.monotonic()
        if self.start:
            self._print(f"resuming at step {self.start} of {config.steps}")

    # -- state -----------------------------------------------------------------------------------

    def track(self, **parts: Stateful) -> None:
        """Save these from now on; where the training was interrupted, give them the state that they had.

        Raises: ScopeError if the checkpoint lacks one of them.
        """
        for name, part in parts.items():
            self._tracked[name] = part
            if self._restored is None:
                continue
            if name not in self._restored["parts"]:
                raise ScopeError(
                    f"{self.folder / 'checkpoint.pt'} knows no {name!r}: another version of this recipe wrote it; "
                    "give another --out, or remove the folder to start again"
                )
            part.load_state_dict(self._restored["parts"].pop(name))

    def checkpoint(self, step: int) -> None:
        """Save what is tracked if this step is one of every `save_every`, or the last."""
        if (step + 1) % self.config.save_every == 0 or step + 1 == self.config.steps:
            self._save(step + 1)

    def write(self, model: nn.Module, path: Path, **options: Any) -> None:
        """Write weights once and print their sha256; every process returns when they are there."""
        if self.main:
            self._print(write(model, path, **options))
        self.accelerator.wait_for_everyone()

    # -- steps -----------------------------------------------------------------------------------

    def steps(self) -> Iterator[int]:
        """Yield the steps that are left."""
        self._began = time.monotonic()
        yield from range(self.start, self.config.steps)

    @property
    def samples(self) -> range:
        """The numbers that this process's samples have among those of a step."""
        first = self.accelerator.process_index * self.batch
        return range(first, first + self.batch)

    def rng(self, step: int) -> np.random.Generator:
        """Return the numpy generator of a step, another one in each process."""
        return np.random.default_rng((self.config.seed, step, self.accelerator.process_index))

    def torch_rng(self, step: int) -> torch.Generator:
        """Return the torch generator of a step, another one in each process (on the CPU: all devices draw the same)."""
        stream = self.accelerator.process_index << 40
        return torch.Generator().manual_seed(self.config.seed * 1_000_003 + step + stream)

    def first(self) -> AbstractContextManager[None]:
        """Return a context that the main process enters alone, the others after it: to make what all will read."""
        context: AbstractContextManager[None] = self.accelerator.main_process_first()
        return context

    def parallel(self, model: nn.Module, function: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Return the forward pass of a model, through which alone its gradients are averaged over the processes.

        With a `function`, that is `function(model, ...)`, such as a loss or another method than `forward`.
        """
        forward: Callable[..., Any] = self.accelerator.prepare_model(_Forward(model, function) if function else model)
        return forward

    def autocast(self) -> torch.autocast:
        """Return the context in which the forward pass runs."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == "bf16")

    def parts(self, n: int, *forwards: Callable[..., Any]) -> Iterator[int]:
        """Yield the n parts of one step whose gradients add up; processes exchange those of `forwards` at the last."""
        for part in range(n):
            with ExitStack() as stack:
                for forward in forwards if part < n - 1 else ():
                    stack.enter_context(self.accelerator.no_sync(forward))
                yield part

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss to those that are there.

        Raises: ScopeError if the loss is not finite; the last checkpoint is kept.
        """
        if not torch.isfinite(loss):
            raise ScopeError(f"the loss is {loss.item()}; lower lr and run the same command again with another --out")
        self.accelerator.backward(loss)

    def clip(self, model: nn.Module) -> Tensor:
        """Scale the gradients of a model down to the norm `config.clip`; return the norm that they had."""
        norm: Tensor = self.accelerator.clip_grad_norm_(model.parameters(), self.config.clip)
        return norm

    # -- what a reader sees ----------------------------------------------------------------------

    def log(self, step: int, **metrics: Tensor | float) -> None:
        """Remember the metrics of a step; every `log_every` steps their means become a line of metrics.jsonl."""
        for name, value in metrics.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(torch.as_tensor(value).detach())
        if (step + 1) % self.config.log_every == 0:
            self._write_metrics(step + 1)

    def note(self, step: int, **metrics: float) -> None:
        """Write what was measured at a step as a line of metrics.jsonl of its own."""
        if self.main:
            line = {"step": step + 1} | {name: round(value, 5) for name, value in metrics.items()}
            with (self.folder / "metrics.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
            self._print("  ".join(f"{name} {value}" for name, value in line.items()))

    def save_grid(self, name: str, images: Tensor, columns: int = 8) -> None:
        """Write images (b, 3, h, w) in [-1, 1] as one PNG under samples/."""
        if not self.main:
            return
        grid = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        rows = [np.concatenate(list(grid[i : i + columns]), 1) for i in range(0, len(grid) - columns + 1, columns)]
        (self.folder / "samples").mkdir(exist_ok=True)
        Image.fromarray(np.concatenate(rows)).save(self.folder / "samples" / f"{name}.png")

    # -- files -----------------------------------------------------------------------------------

    def _keep_config(self) -> None:
        path, now = self.folder / "config.json", self.config.model_dump_json(indent=1)
        if path.exists() and path.read_text() != now:
            raise UsageError(f"{path} holds another configuration; give another --out or the same options")
        self.accelerator.wait_for_everyone()
        if self.main:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(path, now.encode())

    def _keep_environment(self) -> str:
        """Return the dtype of this training, which is decided once: another one would end elsewhere."""
        path = self.folder / "environment.json"
        if self.main and not path.exists():
            seconds = seconds_of_matmul(self.device) if self.config.dtype == "auto" else None
            environment = {
                "dtype": faster(**seconds) if seconds else self.config.dtype,
                "seconds_of_matmul": seconds,
                "device": _name(self.device),
                "processes": self.processes,
                "torch": torch.__version__,
            }
            write_atomic(path, json.dumps(environment, indent=1).encode())
            self._print("  ".join(f"{name} {value}" for name, value in environment.items()))
        shared = [json.loads(path.read_text()) if self.main else {}]
        first: dict[str, Any] = broadcast_object_list(shared)[0]
        if first["processes"] != self.processes:
            self._print(f"{first['processes']} processes began this, not {self.processes}: other samples will follow")
        return str(first["dtype"])

    def _write_metrics(self, step: int) -> None:
        names, n = list(self._sums), self.config.log_every
        sums = torch.tensor([self._sums[name] for name in names], dtype=torch.float64).to(self.device)
        means = (self.accelerator.reduce(sums, "mean") / n).tolist()
        self._sums = {}
        if not self.main:
            return
        rate = (step - self.start) * self.config.batch / (time.monotonic() - self._began)
        row = {name: round(mean, 5) for name, mean in zip(names, means, strict=True)}
        lr = {name: round(o.param_groups[0]["lr"], 7) for name, o in self._optimizers().items()}
        line = {"step": step, "samples_per_s": round(rate, 1), "dtype": self.dtype, **lr, **row}
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        left = (self.config.steps - step) * self.config.batch / rate
        metrics = "  ".join(f"{k} {v:.4f}" for k, v in row.items())
        self._print(f"step {step}/{self.config.steps}  {rate:.0f}/s  {left / 60:.0f} min left  {metrics}")

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Return the tracked optimisers under the names that their rates have in metrics.jsonl."""
        kind = torch.optim.Optimizer
        return {name.replace("optimizer", "lr"): o for name, o in self._tracked.items() if isinstance(o, kind)}

    def _save(self, step: int) -> None:
        if self.main:
            parts = {name: part.state_dict() for name, part in self._tracked.items()}
            torch.save({"step": step, "sums": self._sums, "parts": parts}, self.folder / "checkpoint.tmp")
            (self.folder / "checkpoint.tmp").replace(self.folder / "checkpoint.pt")

    def _print(self, line: str) -> None:
        if self.main:
            print(line, flush=True)


class _Forward(nn.Module):
    """A function of a model as a module, because DDP averages the gradients of what passes its `forward`."""

    def __init__(self, model: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *args: Any, **options: Any) -> Any:
        return self.function(self.model, *args, **options)


def _name(device: torch.device) -> str:
    """Return a device as a person would name it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({torch.get_num_threads()} threads)"
