"""Specifications that others wrote: ledgers as JSON, the YAML that a person edits, and files of both kinds.

An attack bites if anything but a ScopeError or pydantic's own refusal comes of it, or a specification that is not what
its events fold to.
"""

import json
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from pydantic import ValidationError

from scope.benchmarks.attacks.tally import Tally
from scope.engine import review, spec_file
from scope.errors import UsageError
from scope.specification import (
    Answer,
    Cause,
    Fact,
    Source,
    Specification,
    Status,
    Type,
    Wording,
    answers,
    fold,
    ground,
    grounded,
    reopen,
)
from scope.testing import FakeReader
from scope.testing.malformed import deformed, scrambled

_CAUSE = Cause.skill("test", "1")
#: What YAML makes of plain words.
_PLAIN = (
    "2024-99-99", "1_000", "0x_", "0b_", "1:99:99", ".inf", ".nan", "~", "!!binary x", "!!int x", "!!float ''", "*b",
    "!!timestamp x", "&a [*a]", "<<: 1", "? [1]\n: 2", "9" * 5000, "[" * 300, "!!set {a}", "!!omap [1]", "&b x",
    "!!python/object/apply:os.system [id]", "!!python/name:os.system", "!!python/module:os", "!!js/function x",
)  # fmt: skip


def attack(count: int, chance: Random) -> Tally:
    """Read `count` odd specifications."""
    tally, reader = Tally(), FakeReader()
    small = reader.decompose("2 red apple left of 1 car")
    question = review.spec_question(small)
    listed, whole = yaml.safe_load(question.text), _a_life().model_dump(mode="json")
    with TemporaryDirectory() as folder:
        files = {suffix: Path(folder) / f"a.{suffix}" for suffix in ("yaml", "json")}
        for path in files.values():
            spec_file.write(small, path)
        written = {path: path.read_bytes() for path in files.values()}
        for number in range(count):
            if number % 4 == 0:
                text = json.dumps(deformed(whole, chance))
                data = scrambled(text.encode(), chance) if number % 8 == 0 else text.encode()
                tally.attempt("a ledger", partial(_whole, partial(_read, data)))
            elif number % 4 == 1:
                path = chance.choice(list(written))
                path.write_bytes(_file(written[path], chance))
                tally.attempt(f"a {path.suffix} file", partial(_whole, partial(spec_file.read, path, reader)))
            else:
                text = _yaml(question.text, listed, chance)
                tally.attempt("edited YAML", partial(_whole, partial(review.edited, small, text)))
    return tally


def _file(data: bytes, chance: Random) -> bytes:
    if chance.random() < 0.5:
        return scrambled(data, chance)
    return json.dumps(deformed(yaml.safe_load(data), chance)).encode()  # JSON is YAML


def _yaml(text: str, listed: Any, chance: Random) -> str:
    match chance.randrange(4):
        case 0:
            errors = chance.choice(["replace", "surrogateescape"])
            return scrambled(text.encode(), chance).decode(errors=errors)
        case 1:
            lines = text.splitlines()
            at = chance.randrange(len(lines))
            lines[at] = lines[at].partition(":")[0] + ": " + chance.choice(_PLAIN)
            return "\n".join(lines)
        case _:
            return json.dumps(deformed(listed, chance))  # JSON is YAML


def _read(data: bytes) -> Specification:
    try:
        return Specification.model_validate_json(data)
    except ValidationError as error:
        raise UsageError(str(error)) from error


def _whole(read: Any) -> None:
    """Read a specification, and do with it whatever a run does first."""
    spec = read()
    spec = fold(spec.prompt, spec.events)  # which refuses events that could not have followed one another
    answers(spec)
    again = Specification.model_validate_json(spec.canonical())  # which leaves out when things were done
    if grounded(spec).prompt != spec.prompt or again.canonical() != spec.canonical():
        raise ValueError("it is not what its events fold to")


def _a_life() -> Specification:
    """Return a ledger with an answered unknown, one that was opened again, verdicts, a repair, and something waived."""
    spec = FakeReader().decompose("2 red apple left of 1 blue car on beach ?odd ?strange")
    sources = (Source(title="guide", locator="a.md"),)
    found = Answer(words="five", facts=(Fact(type=Type.STYLE, value="flat"),), sources=sources)
    spec = ground(spec, "u1", found, _CAUSE)
    spec = reopen(ground(spec, "u2", found, _CAUSE), "u2", _CAUSE, "it was wrong")
    for commitment in spec.commitments:
        spec = spec.move(commitment.id, Status.BOUND, _CAUSE, evidence=Wording(words=commitment.claim))
    spec = spec.move("c1", Status.VIOLATED, _CAUSE, draft="d1").move("c1", Status.REPAIRED, _CAUSE)
    return spec.move("c2", Status.MET, _CAUSE, draft="d1").move("c3", Status.WAIVED, Cause(kind="person", name="user"))
