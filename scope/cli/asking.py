"""Asking a person: YAML in their own editor, again until it can be used."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from scope.cli.console import log
from scope.errors import UsageError

if TYPE_CHECKING:
    from scope.cli.progress import ProgressView
    from scope.engine.review import Question


def check_editor(confirm: tuple[str, ...]) -> None:
    """Raise UsageError if a person is to be asked where none can answer."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if confirm and not editor and not sys.stdin.isatty():
        raise UsageError("--confirm opens an editor, and this is no terminal; set EDITOR, or leave --confirm out")


def asker(view: "ProgressView") -> "Callable[[Question], str]":
    """Return what answers the questions of a run. The text comes back as it was saved; saving nothing agrees."""

    def ask(question: "Question") -> str:
        with view.paused():
            log(f"please look at the {question.about}; save and close the editor to go on")
            return click.edit(question.text, extension=".yaml", require_save=False) or question.text

    return ask
