"""Bound pictures that a person judges, and how often the judge says the same.

`scope bench sheet` draws held-out prompts onto numbered contact sheets, losslessly, and writes judgements.csv beside
them: one line a commitment, the last column empty. A person looks at the sheets and fills it with yes or no: is the
thing recognisable, the colour, the count, the place right? `scope bench by_hand` cuts the same pictures out of the
sheets, asks the judge, and compares. What the judge says is nowhere before.

`right` is the share of commitments that a person finds kept, `accuracy` the share of which the judge says the same;
`false_pass`: of what a person finds broken, what the judge calls met; `false_alarm`: of what a person finds kept, what
the judge does not.
"""

import csv
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from scope.benchmarks.generators import draw
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Results, Row
from scope.benchmarks.tasks import TASKS, Words, prompts
from scope.errors import OutputError, ScopeError, UsageError
from scope.judges.pocket import load as load_judge
from scope.parsing.grammar import Grammar
from scope.protocols import Generator, Verifier, part_name, reads_of
from scope.specification import Commitment, Specification, Type

SEED = 900_000
COLUMNS, ROWS = 5, 5
FOLDER, JUDGEMENTS = "by_hand", "judgements.csv"
_CAPTION, _GAP, _CELL = 96, 4, 256  # pixels
_ANSWERS = {"yes": True, "no": False}
#: Type -> (what a person is asked, the row of the results). Of free boxes nobody can see whether they were kept.
_ASKED = {
    Type.PRESENCE: ("recognisable", "drawn_entity"),
    Type.COUNT: ("count", "drawn_count"),
    Type.ATTRIBUTE: ("colour", "drawn_attribute"),
    Type.RELATION: ("place", "drawn_relation"),
    Type.SETTING: ("setting", "drawn_setting"),
    Type.STYLE: ("style", "drawn_style"),
    Type.TEXT: ("words", "drawn_text"),
}
_TASKS = tuple(task for task in TASKS if task != "free_boxes")


@dataclass(frozen=True)
class Line:
    """One question to a person. `right`: yes or no; "" where nobody answered yet."""

    picture: int
    prompt: str
    commitment: str
    asked: str
    claim: str
    right: str = ""


# -- drawing -------------------------------------------------------------------------------------


def make(generator: Generator, count: int, folder: Path) -> list[Path]:
    """Draw `count` pictures and write sheets and questions into a folder; return the files.

    Raises: UsageError if the generator reads no regions; OutputError if there are judgements already.
    """
    if "regions" not in reads_of(generator):
        raise UsageError(f"{part_name(generator)} reads no regions, so that its pictures are not bound to any")
    table = folder / JUDGEMENTS
    if table.exists():
        raise OutputError(f"{table} is there already, perhaps with somebody's judgements; move it away first")
    words = Words.of([generator.vocabulary])
    each = -(-count // len(_TASKS))
    by_task = [prompts(task, words, each, SEED) for task in _TASKS]
    asked = [prompt for in_turn in zip(*by_task, strict=True) for prompt in in_turn][:count]
    requests = [prompt.bound_request for prompt in asked]
    pictures = list(draw(generator, requests, Progress(f"{part_name(generator)}, drawn", count)))
    folder.mkdir(parents=True, exist_ok=True)
    sheets = write_sheets(folder, [prompt.spec.prompt for prompt in asked], pictures, part_name(generator))
    _write(table, questions(prompt.spec for prompt in asked))
    return [*sheets, table]


def questions(specs: Iterable[Specification]) -> list[Line]:
    """Return a line for each commitment of each picture; pictures are numbered from 1."""
    return [
        Line(number, spec.prompt, c.id, _ASKED[c.type][0], c.claim)
        for number, spec in enumerate(specs, 1)
        for c in spec.commitments
    ]


def write_sheets(folder: Path, captions: Sequence[str], pictures: Sequence[Image.Image], by: str) -> list[Path]:
    """Write sheets of 25 numbered pictures under their captions; small pictures are enlarged by a whole number."""
    paths, size = [], COLUMNS * ROWS
    for start in range(0, len(pictures), size):
        paths.append(folder / f"sheet_{start // size + 1}.png")
        about = PngInfo()
        about.add_text("side", str(pictures[start].width))
        about.add_text("generator", by)
        sheet = _sheet(start, captions[start : start + size], pictures[start : start + size])
        sheet.save(paths[-1], optimize=True, pnginfo=about)
    return paths


def _sheet(start: int, captions: Sequence[str], pictures: Sequence[Image.Image]) -> Image.Image:
    cell = _enlarged(pictures[0].width)
    canvas = Image.new("RGB", (COLUMNS * (cell + _GAP), ROWS * (cell + _CAPTION)), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    for place, (caption, picture) in enumerate(zip(captions, pictures, strict=True)):
        x, y = _corner(place, cell)
        words = textwrap.fill(f"{start + place + 1}. {caption}", cell // 7)
        pen.text((x + 2, y - _CAPTION + 2), words, "black", font, spacing=2)
        canvas.paste(picture.resize((cell, cell), Image.Resampling.NEAREST), (x, y))
    return canvas


def _enlarged(side: int) -> int:
    return side * max(1, _CELL // side)


def _corner(place: int, cell: int) -> tuple[int, int]:
    """Return where a picture begins on its sheet."""
    row, column = divmod(place, COLUMNS)
    return column * (cell + _GAP), row * (cell + _CAPTION) + _CAPTION


def cut(sheet: Path) -> tuple[list[Image.Image], str]:
    """Return the pictures of a sheet, as they were drawn, with white ones where it ends; and who drew them.

    Raises: ScopeError if the file is no such sheet.
    """
    try:
        with Image.open(sheet) as image:
            side, by, canvas = int(image.info["side"]), str(image.info["generator"]), image.convert("RGB")
    except (OSError, KeyError, ValueError) as error:
        raise ScopeError(f"{sheet} is no sheet that `scope bench sheet` wrote: {error!r}") from error
    cell = _enlarged(side)
    corners = (_corner(place, cell) for place in range(COLUMNS * ROWS))
    cells = (canvas.crop((x, y, x + cell, y + cell)) for x, y in corners)
    return [picture.resize((side, side), Image.Resampling.NEAREST) for picture in cells], by


# -- judging -------------------------------------------------------------------------------------


def measure(results: Path = Path("results")) -> Results:
    """Return how often the judge agrees with the judgements in the folder of results.

    Raises: ScopeError if there are no sheets or judgements, or a line is not answered or not of its picture.
    """
    folder = results / FOLDER
    return compare(folder, _read(folder / JUDGEMENTS), load_judge())


def compare(folder: Path, lines: Sequence[Line], judge: Verifier) -> Results:
    """Return how often a judge agrees with a person on the sheets of a folder."""
    sheets = [cut(path) for path in sorted(folder.glob("sheet_*.png"), key=lambda path: (len(path.name), path.name))]
    pictures, drawn_by = list(chain(*(images for images, _ in sheets))), sorted({by for _, by in sheets})
    said: dict[str, list[tuple[bool, bool]]] = {}
    for number, of_picture in _by_picture(lines):
        if number > len(pictures):
            raise ScopeError(f"{folder} has no sheet with picture {number}; draw them again with: scope bench sheet")
        for commitment, right, met in _verdicts(judge, pictures[number - 1], of_picture):
            for row in (_ASKED[commitment.type][1], "drawn_all"):
                said.setdefault(row, []).append((right, met))
    names = [name for name in (*(row for _, row in _ASKED.values()), "drawn_all") if name in said]
    return Results(
        name="by_hand", command="scope bench by_hand", seeds=(SEED,), judge=part_name(judge), n_expected=len(lines),
        rows=tuple(_row(name, said[name], drawn_by) for name in names),
    )  # fmt: skip


def _verdicts(judge: Verifier, image: Image.Image, lines: Sequence[Line]) -> Iterator[tuple[Commitment, bool, bool]]:
    """Yield (commitment, what the person says, what the judge says) of one picture; unjudged is not met."""
    spec = Grammar().decompose(lines[0].prompt)
    if questions([spec]) != [replace(line, picture=1, right="") for line in lines]:
        raise ScopeError(
            f"picture {lines[0].picture}: its lines are not the commitments of {lines[0].prompt!r} as it is read now; "
            "draw and judge it again, or restore the lines"
        )
    outcomes = {v.commitment: v.outcome for v in judge.check(image, spec.commitments, spec)}
    for line in lines:
        yield spec[line.commitment], _ANSWERS[line.right], outcomes[line.commitment] == "met"


def _by_picture(lines: Sequence[Line]) -> Iterator[tuple[int, list[Line]]]:
    for number in dict.fromkeys(line.picture for line in lines):
        yield number, [line for line in lines if line.picture == number]


def _row(name: str, pairs: Sequence[tuple[bool, bool]], drawn_by: Sequence[str]) -> Row:
    kept, broken = ([met for right, met in pairs if right is wanted] for wanted in (True, False))
    metrics = {
        "right": share(len(kept), len(pairs)),
        "accuracy": share(sum(right is met for right, met in pairs), len(pairs)),
    }
    if broken:
        metrics["false_pass"] = share(sum(broken), len(broken))
    if kept:
        metrics["false_alarm"] = share(len(kept) - sum(kept), len(kept))
    return Row(name=name, metrics=metrics, note=f"drawn by {', '.join(drawn_by)}" if name == "drawn_all" else "")


# -- the table of questions ----------------------------------------------------------------------


def _write(path: Path, lines: Sequence[Line]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Line)])
        writer.writeheader()
        writer.writerows(asdict(line) for line in lines)


def _read(path: Path) -> list[Line]:
    """Return the lines of a table that is filled.

    Raises: ScopeError that names the file and the first line that is not answered.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [Line(int(row.pop("picture")), **row) for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ScopeError(f"{path} cannot be used: {error!r}; draw sheets to judge with: scope bench sheet") from error
    lines = [replace(line, right=line.right.strip().lower()) for line in lines]
    for number, line in enumerate(lines, 2):
        if line.right not in _ANSWERS:
            raise ScopeError(f"{path}, line {number}: right is {line.right!r}; write yes or no, picture {line.picture}")
    return lines
