"""`scope check`: the proof for pictures that others made. Nothing is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.batch import Item, is_many, items
from scope.cli.console import emit, emit_json, emit_table, log, quiet_stdout
from scope.cli.options import Json, MaybePrompt, SpecFile, asked, flag_name, option_flags
from scope.cli.proof import show_result
from scope.config import resolve
from scope.errors import OutputError, ScopeError, UsageError
from scope.runs.target import slug

if TYPE_CHECKING:
    from scope.engine.checking import Checker
    from scope.engine.result import Result

_UNREADABLE = 1  # the exit code where a picture could not be judged at all


@option_flags("region", "language", "verifiers", "knowledge", "without", "max_cost", "skill_timeout")
def check(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="PICTURES",
            help="A picture (PNG, JPEG, WebP); a folder of them with captions (a.png, a.txt); or JSONL, a line each: "
            '{"image": PATH, "prompt": TEXT}, or "spec": PATH.',
            show_default=False,
        ),
    ],
    prompt: MaybePrompt = None,
    spec_file: SpecFile = None,
    as_json: Json = False,
    report: Annotated[
        Path | None, typer.Option("--report", help="HTML file to write, with boxes; of many pictures: a folder.")
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="JUnit XML to write, for a pipeline.")] = None,
    **flags: Any,
) -> None:
    """Judge pictures that others made by a prompt; draw nothing.

    The exit code is that of generate; of many pictures, 1 where one could not be read, else 3 where one misses
    something.
    """
    from scope.engine import junit as xml
    from scope.engine.checking import checker

    many = is_many(what)
    by = None if many and prompt is None and spec_file is None else asked(prompt, spec_file)
    found = items(what, by)
    if many and report is not None and not report.is_dir():
        raise OutputError(f"cannot write to {report}: the reports of many pictures go into a folder that is there")
    with quiet_stdout(), checker(resolve(flags, flag_name)) as pictures:
        if many:
            checks = [_on_past(pictures, item, report, f"{n} of {len(found)}") for n, item in enumerate(found, start=1)]
        else:
            checks = [Checked(what.name, _one(pictures, found[0], report))]
    if junit is not None:
        xml.write(junit, (xml.Suite(c.name, c.result.outcome if c.result else None, c.why) for c in checks))
    if not many and checks[0].result is not None:
        show_result(checks[0].result, as_json)
    else:
        _show(checks, as_json)
    raise typer.Exit(_worst(checks))


@dataclass(frozen=True)
class Checked:
    """One picture of several: its result, or why it has none."""

    name: str
    result: "Result | None"
    why: str = ""


def _one(pictures: "Checker", item: Item, report: Path | None) -> "Result":
    """Return the result of one picture; its report is written then.

    Raises: ScopeError.
    """
    from scope import app

    if item.asked is None:
        raise UsageError(item.why)
    by = app.load_spec(item.asked) if isinstance(item.asked, Path) else item.asked
    result = app.checked(pictures, item.image, by)
    if report is not None:
        app.show(result, report)
    return result


def _on_past(pictures: "Checker", item: Item, folder: Path | None, place: str) -> Checked:
    """Return how one picture of many fares, told on stderr, whatever is wrong with it. Its pixels are not kept."""
    report = folder / f"{slug(item.name)}-{place.partition(' ')[0]}.html" if folder is not None else None
    try:
        result = replace(_one(pictures, item, report), judged=None)
    except OutputError:  # what is wrong is no picture
        raise
    except ScopeError as error:
        log(f"{place}: {item.name}: {error}")
        return Checked(item.name, None, str(error))
    log(f"{place}: {item.name}: {result.proof.summary}")
    return Checked(item.name, result)


def _show(checks: Sequence[Checked], as_json: bool) -> None:
    """Print one line per picture, and how many keep all that is asked of them; or all of it as JSON."""
    if as_json:
        return emit_json({"exit": _worst(checks), "pictures": [_document(check) for check in checks]})
    emit_table(("picture", "met", "not met"), (_row(check) for check in checks))
    whole = sum(check.result is not None and check.result.outcome.exit == 0 for check in checks)
    return emit(f"{whole} of {len(checks)} pictures keep all that is asked of them")


def _document(check: Checked) -> dict[str, Any]:
    from scope.engine.outcome import json_report

    if check.result is None:
        return {"picture": check.name, "exit": _UNREADABLE, "error": check.why}
    return {"picture": check.name, **json_report(check.result.outcome, image=str(check.result.path))}


def _row(check: Checked) -> tuple[str, str, str]:
    if check.result is None:
        return check.name, "", check.why
    rows = check.result.proof.rows
    missed = (f"{row.commitment} {row.claim}: {row.verdict}" for row in rows if row.verdict not in ("met", "waived"))
    return check.name, f"{check.result.proof.met} of {len(rows)}", "; ".join(missed)


def _worst(checks: Sequence[Checked]) -> int:
    """Return the exit code of all: 1 where a picture could not be judged at all, else 3 where one misses something."""
    codes = {check.result.outcome.exit if check.result is not None else _UNREADABLE for check in checks}
    return next((code for code in (_UNREADABLE, 3) if code in codes), 0)
