"""Records that others wrote: inside a picture, beside it, and in the folder of a run.

An attack bites if anything but a ScopeError comes of it, if a file of somebody is written over or read from outside of
a run, or if a picture is explained by a record of other pixels.
"""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from scope import app
from scope.benchmarks.attacks.tally import Tally
from scope.benchmarks.attacks.works import Works, explain, forget, works
from scope.runs.marks import sidecar
from scope.runs.png import open_png
from scope.runs.store import open_run
from scope.testing.malformed import deformed, scrambled

_RUN_FILES = ("run.json", "target.json", "result.json", "state.sqlite")

#: Pictures to be drawn on from.
_STARTS = (
    "/dev/zero",
    "/etc/passwd",
    "../../../../etc/passwd",
    "drafts",
    "",
    "\0",
    "a" * 5000,
    "drafts/../../run.json",
)
_SEEDS = (-1, 2**63, 2**64, 2**70, 10**400, 0.5, "1", True)


def attack_records(count: int, chance: Random) -> Tally:
    """Explain pictures with `count` odd records, draw them again, and open runs with odd files."""
    tally = Tally()
    with works() as made:
        whole = json.loads(open_png(made.picture).info["scope"])
        kept = {name: (made.run.folder / name).read_bytes() for name in _RUN_FILES}
        for number in range(count):
            if number % 3 == 2:
                _a_run(made, kept, tally, chance)
            else:
                _a_picture(made, whole, tally, chance)
    return tally


def _a_picture(made: Works, whole: dict[str, Any], tally: Tally, chance: Random) -> None:
    record = deformed(whole, chance)
    if isinstance(record, dict) and chance.random() < 0.4:
        record = json.loads(json.dumps(whole))
        image = {"path": chance.choice(_STARTS), "sha256": "0" * 64}
        record["draft"]["request"] |= chance.choice([{"seed": chance.choice(_SEEDS)}, {"edit": {"image": image}}])
    picture = made.folder / "odd.png"
    other = chance.random() < 0.2
    forget(picture)
    _save(picture, made.picture, json.dumps(record), other)
    if chance.random() < 0.5:  # it says that a run of this machine drew it
        sidecar(picture).write_text(json.dumps({"run": made.run.id}))
    page, again = made.folder / "odd.html", made.folder / "again.png"
    tally.attempt("a record explained", partial(_explained, picture, page, other), made.harm)
    tally.attempt("a record drawn again", partial(app.rerun, picture, output=again), made.harm)
    tally.tried -= 1  # they are two looks at one


def _explained(picture: Path, page: Path, other: bool) -> None:
    explain(picture, page)
    if other:
        raise AssertionError("other pixels are explained")


def _save(path: Path, of: Path, text: str, other: bool) -> None:
    image, texts = open_png(of), PngInfo()
    texts.add_itxt("scope", text)
    (Image.new("RGB", image.size) if other else image).save(path, pnginfo=texts)


def _a_run(made: Works, kept: dict[str, bytes], tally: Tally, chance: Random) -> None:
    name = chance.choice(_RUN_FILES)
    path = made.run.folder / name
    if name == "state.sqlite" or chance.random() < 0.3:
        path.write_bytes(scrambled(kept[name], chance))
    else:  # a seal is no secret
        value = {"path": str(made.victim)} if name == "target.json" else json.loads(kept[name])["value"]
        value = value if name == "target.json" and chance.random() < 0.5 else deformed(value, chance)
        made.run.keep(name, value if isinstance(value, dict) else {"": value})
    tally.attempt(f"{name} resumed", partial(app.resume, made.run.id), made.harm)
    tally.attempt(f"{name} explained", partial(explain, made.run.id, made.folder / "odd.html"), made.harm)
    tally.tried -= 1
    for name, data in kept.items():
        (made.run.folder / name).write_bytes(data)


# -- sidecars ------------------------------------------------------------------------------------


def attack_sidecars(count: int, chance: Random) -> Tally:
    """Explain a picture beside `count` odd sidecars."""
    tally = Tally()
    with works() as made:
        whole = json.loads(sidecar(made.picture).read_bytes())
        strange = made.folder / "black.png"
        Image.new("RGB", (64, 64)).save(strange)
        for number in range(count):
            picture, other = (strange, True) if number % 2 else (made.picture, False)
            forget(picture)
            make = chance.choice(_ODD) if number // 2 % 2 else _plain(deformed(whole, chance))
            make(sidecar(picture))
            page = made.folder / "odd.html"
            tally.attempt("a sidecar", partial(_explained, picture, page, other), made.harm)
            tally.attempt(
                "a sidecar, drawn again", partial(app.rerun, picture, output=made.folder / "b.png"), made.harm
            )
            tally.tried -= 1
            open_run(made.run.id)
    return tally


def _plain(value: Any) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(value))


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # of nothing


_ODD: tuple[Callable[[Path], object], ...] = (
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to("/dev/stdin"),
    lambda path: path.symlink_to(path),
    lambda path: path.write_text("[" * 200_000),
    lambda path: path.write_bytes(b"\xff\xfe\x00"),
    lambda path: path.write_text('{"run": "' + "../" * 2000 + '"}'),
    lambda path: path.write_text('{"run": "\\ud800"}'),
    lambda path: path.write_text('{"run": "\\u0000"}'),
    lambda path: path.write_text('{"run": {"run": []}}'),
    os.mkfifo,
    Path.mkdir,
    _large,
)
