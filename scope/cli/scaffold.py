"""What `scope plugins new` writes: a package that works, in the folder where you are."""

import keyword
import re
import sys
from pathlib import Path
from typing import Literal

from scope.errors import OutputError, UsageError

Kind = Literal["skill", "generator", "verifier"]

_TEMPLATES = Path(__file__).parents[1] / "data" / "plugin_template"
_LONGEST = 64  # characters of a name

#: A prompt that gives the part something to do.
_PROMPTS: dict[Kind, str] = {
    "skill": "the mascot of Team Zorvex beside a red apple",
    "generator": "a red apple and a blue car",
    "verifier": "a red apple and a blue car",
}


def write_package(name: str, kind: Kind, where: Path) -> Path:
    """Write the package into a new folder of `where`, and return it.

    Raises: UsageError if the name cannot be used, or there is something of that name already; OutputError.
    """
    module = module_of(name)
    folder = where / name
    files = _rendered(name, module, kind)
    try:
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise UsageError(f"{folder} is there already; nothing was written. Choose another name") from error
    except OSError as error:
        raise OutputError(f"cannot write {folder}: {error.strerror or error}. Choose another place") from error
    return folder


def module_of(name: str) -> str:
    """Return the module of a package of this name.

    Raises: UsageError if no package or no module can be called so.
    """
    if not re.fullmatch(r"[a-z]([a-z0-9_-]*[a-z0-9])?", name) or len(name) > _LONGEST:
        near = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_LONGEST].strip("-")
        hint = f", such as {near!r}" if near else ""
        raise UsageError(
            f"{name!r} cannot be the name of a package: write up to {_LONGEST} small letters, digits, - and _, "
            f"from a letter to a letter or digit{hint}"
        )
    module = re.sub(r"[-_]+", "_", name)
    taken = keyword.iskeyword(module) or module in sys.stdlib_module_names or module in ("scope", "scope_t2i", "test")
    if taken:
        raise UsageError(f"{name!r} cannot be the name of a package: Python or scope has it; try 'my-{name}'")
    return module


def _rendered(name: str, module: str, kind: Kind) -> dict[str, str]:
    """Return the files of a package by name."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )  # nothing is escaped: this is code, and the name has been checked
    about = {
        "name": name,
        "module": module,
        "kind": kind,
        "class": "".join(map(str.title, module.split("_"))),
        "prompt": _PROMPTS[kind],
        "option": f" --generator {name}" if kind == "generator" else "",
    }
    templates = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        f"{module}.py": f"{kind}.py",
        f"test_{module}.py": "test.py",
    }
    return {file: environment.get_template(f"{t}.j2").render(about) for file, t in templates.items()}
