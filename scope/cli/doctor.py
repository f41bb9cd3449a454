"""`scope doctor`: is this installation whole? Answers in a few seconds, so it loads no torch."""

import ctypes
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from typing import TYPE_CHECKING, get_args

import typer

from scope import __version__
from scope.cli.console import emit_json, emit_table, log
from scope.cli.options import Json
from scope.errors import OtherSchema, ScopeError, ServiceError
from scope.files import parsed_json
from scope.specification import Model
from scope.text import excerpt

if TYPE_CHECKING:
    from scope.llm.settings import LanguageSettings
    from scope.runs.store import Run

_LEAST_FREE = 200 * 1024 * 1024  # bytes: a run and its pictures with room to spare
_TIMEOUT = 3.0  # seconds for one question to a server


class Check(Model):
    """One thing that was looked at. `ok` None: worth knowing, neither good nor bad."""

    name: str
    ok: bool | None
    found: str
    advice: str = ""


def doctor(as_json: Json = False) -> None:
    """Check versions, device, weights, disk, runs and plugins."""
    checks = list(_checks())
    broken = [check for check in checks if check.ok is False]
    if as_json:
        emit_json({"ok": not broken, "checks": [check.model_dump() for check in checks]})
    else:
        words = {True: "ok", False: "broken", None: ""}
        rows = [(c.name, words[c.ok], c.found, c.advice) for c in checks]
        emit_table(("check", "", "found", "what to do"), rows, styles={"ok": "green", "broken": "bold red"})
        log("completion for your shell: scope --install-completion")
    raise typer.Exit(1 if broken else 0)


def _checks() -> Iterator[Check]:
    python = sys.version_info
    yield Check(name="python", ok=python >= (3, 11), found=".".join(map(str, python[:3])), advice="")
    yield Check(name="scope", ok=True, found=__version__)
    yield from _packages()
    yield _device()
    yield from _weights()
    yield _generator()
    yield _tesseract()
    yield _disk()
    yield from _runs()
    yield from _plugins()
    yield from _language()


def _packages() -> Iterator[Check]:
    """Check that what scope needs is installed in a version that it allows."""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(line) for line in requires("scope-t2i") or ()]
    except PackageNotFoundError:
        yield Check(name="installation", ok=False, found="a checkout", advice="pip install -e .")
        return
    mine = [r for r in needed if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [(r, found) for r in mine if not r.specifier.contains(found := _version(r.name), prereleases=True)]
    yield Check(name="packages", ok=not wrong, found=f"{len(mine) - len(wrong)} of {len(mine)} as needed")
    for requirement, found in wrong:
        yield Check(name=requirement.name, ok=False, found=found, advice=f"pip install '{requirement}'")


def _version(package: str) -> str:
    """Return the installed version; "0" is older than whatever is needed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "0"


def _device() -> Check:
    """Ask the CUDA driver itself: loading torch to ask it would take longer than everything else here."""
    try:
        driver = ctypes.CDLL("libcuda.so.1" if sys.platform != "win32" else "nvcuda.dll")
        count = ctypes.c_int(0)
        gpus = count.value if driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 else 0
    except OSError:
        gpus = 0
    return Check(name="device", ok=None, found=f"{gpus} CUDA GPU" if gpus else "CPU (no CUDA GPU)")


def _weights() -> Iterator[Check]:
    from scope.weights import expected, weights_path

    if not expected():
        yield Check(name="weights", ok=False, found="no manifest", advice="reinstall scope")
    for name, sha in expected().items():
        path = weights_path(name)
        whole = path.is_file() and sha256(path.read_bytes()).hexdigest() == sha
        found = f"{path.stat().st_size / 1e6:.1f} MB" if path.is_file() else "missing"
        yield Check(
            name=f"weights {name}",
            ok=whole,
            found=found if whole or not path.is_file() else f"{found}, damaged",
            advice="" if whole else "reinstall scope",
        )


def _generator() -> Check:
    """Check that the generator that draws by default has weights; others need none that are known here."""
    from scope.config import resolve
    from scope.plugins import registry
    from scope.weights import expected

    try:
        chosen = resolve({}).generator
    except ScopeError as error:
        return Check(name="generator", ok=False, found=str(error), advice="docs/configuration.md")
    own = [plugin.name for plugin in registry.installed("generators") if not plugin.third_party]
    able = [name for name in own if name in expected()]
    ok = chosen in able or chosen not in own
    found = f"{chosen} draws by default; with weights: {', '.join(able) or 'none'}"
    return Check(name="generator", ok=ok, found=found, advice="" if ok else "choose another: SCOPE_GENERATOR")


def _tesseract() -> Check:
    """Look for the judge's reader. Only benchmarks that judge words on signs need it."""
    program = shutil.which("tesseract")
    return Check(
        name="tesseract",
        ok=None,
        found=program or "not installed",
        advice="" if program else "`scope bench` reads signs with it; to install: apt-get install tesseract-ocr",
    )


def _disk() -> Check:
    from scope.config import home

    there = next(p for p in (home(), *home().absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    ok = free >= _LEAST_FREE
    return Check(
        name="disk", ok=ok, found=f"{free / 1e9:.1f} GB free at {home()}", advice="" if ok else "free some space"
    )


def _runs() -> Iterator[Check]:
    from scope.runs.store import list_runs

    everything = list_runs()
    waiting = sum(not run.finished for run in everything)
    yield Check(name="runs", ok=None, found=f"{len(everything)}, {waiting} unfinished", advice="scope runs")
    if everything:
        yield _latest(everything[0])


def _latest(run: "Run") -> Check:
    """Read the record of the latest run; one of another scope is no damage."""
    try:
        run.manifest  # noqa: B018 - reading it is the check
        with closing(sqlite3.connect(f"file:{run.folder / 'state.sqlite'}?mode=ro", uri=True)) as connection:
            answer = connection.execute("PRAGMA quick_check").fetchone()[0]
    except OtherSchema as error:
        return Check(name="latest run", ok=None, found=str(error))
    except (ScopeError, sqlite3.Error) as error:
        answer = str(error)
    return Check(
        name="latest run",
        ok=answer == "ok",
        found=f"{run.id}: {answer}",
        advice="" if answer == "ok" else "start it again: scope generate",
    )


def _plugins() -> Iterator[Check]:
    """List what is installed, without importing it."""
    from importlib.metadata import entry_points

    from scope.plugins.registry import OPTIONAL, Kind

    for kind in get_args(Kind):
        points = sorted(entry_points(group=f"scope.{kind}"), key=lambda point: point.name)
        gone = [point.name for point in points if not _exists(point.module)]
        absent = not points and kind not in OPTIONAL
        yield Check(
            name=kind,
            ok=not gone and not absent,
            found=", ".join(point.name for point in points) or "none",
            advice=f"missing module of: {', '.join(gone)}" if gone else "pip install -e ." if absent else "",
        )


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def _language() -> Iterator[Check]:
    """Ask each configured server of a language model: is it there, does it take the key, has it the model?"""
    if not os.environ.get("SCOPE_LANGUAGE_URL"):
        return
    from scope.llm.settings import LanguageSettings

    try:
        settings = LanguageSettings.load()
    except ScopeError as error:
        yield Check(name="language model", ok=False, found=str(error), advice="docs/language_models.md")
        return
    for url in settings.url:
        yield from _server(settings.model_copy(update={"url": (url,), "deadline": _TIMEOUT, "tokens": 64}))


def _server(settings: "LanguageSettings") -> Iterator[Check]:
    """Check endpoint, key, model, and whether answers are held to a schema."""
    from scope.net.endpoint import Endpoint, Refusal, Service

    (url,) = settings.url
    server, refused, body, fault = Endpoint(url, settings.key), False, None, ""
    began = time.monotonic()
    try:
        body = Service([server], _TIMEOUT / 2).get("/models", _TIMEOUT)
    except Refusal as error:
        refused, fault = error.status in (401, 403), str(error)
    except (ServiceError, TimeoutError) as error:
        fault = str(error) or f"{url}: no answer in {_TIMEOUT:g} s"
    there = refused or body is not None
    took = f"{url}: answers in {1000 * (time.monotonic() - began):.0f} ms"
    advice = "" if there else "is the server running? Its address mostly ends in /v1"
    yield Check(name="endpoint", ok=there, found=took if there else fault, advice=advice)
    if not there:
        return
    key = "a key" if settings.key is not None else "no key"
    yield Check(
        name="auth",
        ok=not refused,
        found=f"{key} is sent{', and refused' if refused else ''}",
        advice="set SCOPE_LANGUAGE_KEY" if refused else "",
    )
    if body is not None:
        yield _served(settings.model, server.redact(body.decode(errors="replace")))
        yield _schema(settings)


def _served(model: str, body: str) -> Check:
    try:
        served = [str(entry["id"]) for entry in parsed_json(body)["data"]]
    except (ValueError, TypeError, KeyError):
        served = []
    advice = (
        "" if model in served else f"set SCOPE_LANGUAGE_MODEL to one that is served: {excerpt(', '.join(served[:3]))}"
    )
    return Check(name="model", ok=model in served, found=model or "not set", advice=advice)


def _schema(settings: "LanguageSettings") -> Check:
    """Ask for a word that only a schema can bring about."""
    from scope.llm.openai import OpenAIModel
    from scope.protocols import Message

    schema = {"type": "object", "properties": {"answer": {"enum": ["zebra"]}}, "required": ["answer"]}
    began = time.monotonic()
    try:
        OpenAIModel(settings).complete([Message(role="user", content="Name a fruit.")], schema)
    except ScopeError as error:
        slow = time.monotonic() - began >= _TIMEOUT
        advice = "the server is slow" if slow else "use a server that obeys JSON schemas: docs/language_models.md"
        return Check(name="schema", ok=None if slow else False, found=str(error), advice=advice)
    return Check(name="schema", ok=True, found=f"obeyed, in {time.monotonic() - began:.1f} s")
