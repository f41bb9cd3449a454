"""`scope train`: how the shipped weights are made."""

import os
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from scope.cli.console import emit_json, emit_path, log, quiet_stdout
from scope.errors import UsageError


class Recipe(StrEnum):
    """What can be trained: modules of `scope.training.recipes` with `PRESETS` and `train(config, folder)`."""

    PAE = "pae"
    FLOW = "flow"
    LAYOUT = "layout"
    NTM = "ntm"
    LAPPED = "lapped"
    FINE = "fine"
    BINDING = "binding"
    DETECTOR = "detector"
    JUDGE = "judge"
    FEATURES = "features"
    REWARD = "reward"


def train(
    recipe: Annotated[Recipe, typer.Argument(help="What to train.")],
    preset: Annotated[str, typer.Option(help="Which sizes: tiny (seconds), pocket (the shipped ones), ...")] = "pocket",
    out: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints, metrics and samples. Without it: runs/RECIPE-PRESET.")
    ] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Change one setting; repeat for more.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the settings as JSON and leave.")] = False,
) -> None:
    """Train weights. The same command in the same folder continues where it stopped."""
    from scope.config import override

    trainer = import_module(f"scope.training.recipes.{recipe}")
    if preset not in trainer.PRESETS:
        raise UsageError(f"{recipe} has no preset {preset!r}; it has: {', '.join(trainer.PRESETS)}")
    config = override(trainer.PRESETS[preset], assignments or [])
    folder = (out or Path("runs") / f"{recipe}-{preset}").absolute()
    if dry_run:
        emit_json({"recipe": recipe, "folder": str(folder), "config": config.model_dump(mode="json")})
        return
    log(f"training {recipe} in {folder}; stop it any time, the same command continues")
    with quiet_stdout():
        trainer.train(config, folder)
    if os.environ.get("RANK", "0") == "0":  # of several processes, one tells
        emit_path(folder)
