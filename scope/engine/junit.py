"""Proofs as JUnit XML, which build pipelines read: a suite per picture, a case per commitment.

What is violated or blocked is a failure; what could not be judged is an error, as it is never met; what was waived is
skipped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from scope.engine.outcome import Outcome
from scope.engine.proof import Proof, Row
from scope.files import write_over
from scope.text import visible

_TAGS = {"violated": "failure", "blocked": "failure", "unjudged": "error", "waived": "skipped"}


@dataclass(frozen=True)
class Suite:
    """One picture: its name and how it fares; None: not at all, and why."""

    name: str
    outcome: Outcome | None
    why: str = ""


def write(path: Path, suites: Iterable[Suite]) -> None:
    """Write the proofs of pictures.

    Raises: OutputError, also if there is a file of somebody else.
    """
    root = ET.Element("testsuites", name="scope check")
    root.extend(map(_suite, suites))
    ET.indent(root)
    page = ET.tostring(root, "utf-8", xml_declaration=True) + b"\n"
    write_over(path, page, lambda head: b'<testsuites name="scope check"' in head)


def _suite(suite: Suite) -> ET.Element:
    name, seconds = visible(suite.name), suite.outcome.seconds.get("total", 0.0) if suite.outcome is not None else 0.0
    if suite.outcome is not None:
        cases = [_case(name, row) for row in Proof.of(suite.outcome).rows]
    else:
        cases = [ET.Element("testcase", classname=name, name="the picture is judged")]
        ET.SubElement(cases[0], "error", message=visible(suite.why))
    element = ET.Element("testsuite", name=name, tests=str(len(cases)), time=f"{seconds:.3f}")
    for tag in ("failure", "error", "skipped"):
        count = sum(case.find(tag) is not None for case in cases)
        element.set({"failure": "failures", "error": "errors", "skipped": "skipped"}[tag], str(count))
    element.extend(cases)
    return element


def _case(name: str, row: Row) -> ET.Element:
    case = ET.Element("testcase", classname=name, name=visible(f"{row.commitment}: {row.claim}"))
    if tag := _TAGS.get(row.verdict):
        ET.SubElement(case, tag, message=visible(f"{row.verdict}: {row.evidence}"), type=row.verdict)
    return case
