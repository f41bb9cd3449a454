"""Names that others chose: of pictures, runs, pages and files of a run.

An attack bites if anything but a ScopeError comes of it, if a file of somebody is written over, or if anything is
written outside of the folder that was named.
"""

import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random

from scope import app
from scope.benchmarks.attacks.tally import Tally
from scope.benchmarks.attacks.works import Works, explain, works
from scope.runs import store
from scope.runs.png import open_png, save_png
from scope.runs.target import Target, png_path
from scope.text import shell_word, visible

_NAMES = (
    "", ".", "..", "/", "~", "-", "--", "a" * 300, "a" * 5000, "苹" * 200, "a\0b", "\0", "\ud800", "\udcff\udcfe",
    "\x1b[2J", "\x1b]0;pwn\x07", "\u202egnp", "a\nb", "../" * 500, "/dev/zero", "/dev/stdin", "/etc/passwd",
    "mine.png", "./mine.png", "link.png", "dangling.png", "circle.png", "pipe.png", "folder.png", "a.png/b", "CON",
    "$(id)", "`id`", "%s%n", "{}", "*", "?", "99991231-000000-000", "a" * 246, "a" * 247, "a" * 251, " ", "\t",
    "../../etc/passwd", "a" * 246 + ".png", "a" * 247 + ".png", "a" * 251 + ".png", "a" * 236 + ".png", "\x1b.png",
)  # fmt: skip


def attack(count: int, chance: Random) -> Tally:
    """Use `count` odd names wherever a name is taken."""
    tally = Tally()
    with works() as made:
        (made.folder / "link.png").symlink_to(made.victim)
        (made.folder / "dangling.png").symlink_to(made.folder / "nothing")
        (made.folder / "circle.png").symlink_to(made.folder / "circle.png")
        os.mkfifo(made.folder / "pipe.png")
        (made.folder / "folder.png").mkdir()
        for what, use, name in islice(_cases(made, chance), count):
            tally.attempt(f"{what} {name[:30]!r}", partial(use, name), made.harm)
    return tally


def _cases(made: Works, chance: Random) -> Iterator[tuple[str, Callable[[str], object], str]]:
    uses = _uses(made)
    cases = [(what, use, name) for what, use in uses.items() for name in _NAMES]
    chance.shuffle(cases)
    yield from cases
    parts = [name for name in _NAMES if "/" not in name]  # what is made up stays in the folder
    while True:
        what = chance.choice(list(uses))
        yield what, uses[what], "".join(chance.choice(parts) for _ in range(chance.randint(2, 4)))


def _uses(made: Works) -> dict[str, Callable[[str], object]]:
    """Return all that takes a name, by what it does."""
    there, picture = made.folder, made.picture

    def written(name: str) -> None:
        save_png(png_path(Path(os.path.join(there, name)), "a"), open_png(picture), None)  # noqa: PTH118

    def made_up(name: str) -> None:
        if shell_word(png_path(there, name).name) != png_path(there, name).name:
            raise ValueError("a name that scope makes cannot be shown")

    def aimed(name: str) -> None:
        made.run.keep("target.json", {"path": os.path.join(there, name).encode(errors="replace").decode()})  # noqa: PTH118
        Target.of(made.run).check()
        app.resume(made.run.id)

    def of_run(name: str) -> None:
        made.run.picture(name, "0" * 64)

    def printed(name: str) -> None:
        if visible(shell_word(name.replace("\ud800", ""))) != shell_word(name.replace("\ud800", "")):
            raise ValueError("it is printed with hidden characters")

    return {
        "explained": lambda name: explain(os.path.join(there, name), there / "odd.html"),  # noqa: PTH118
        "explained by its id": lambda name: explain(name, there / "odd.html"),
        "drawn again": lambda name: app.rerun(os.path.join(there, name), output=there / "again.png"),  # noqa: PTH118
        "opened": store.open_run,
        "a picture of a run": of_run,
        "a page": lambda name: app.show(picture, os.path.join(there, name)),  # noqa: PTH118
        "written": written,
        "made up": made_up,
        "aimed at": aimed,
        "printed": printed,
        "resumed elsewhere": lambda name: app.resume(made.run.id, output=os.path.join(there, name)),  # noqa: PTH118
    }
