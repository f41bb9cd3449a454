"""The proof of a picture: one row per commitment, with its verdict and what that rests on."""

from collections.abc import Sequence
from html import escape
from typing import Literal

from scope.engine.outcome import Outcome, json_report
from scope.specification import Model, Region, Verdict, answers
from scope.text import visible

Fate = Literal["met", "violated", "blocked", "unjudged", "waived"]


class Row(Model):
    """How one commitment fared on the best draft."""

    commitment: str
    claim: str
    verdict: Fate
    evidence: str  # the verifier's reason, in a sentence
    verifier: str  # name@version; "": nobody could say
    skill: str  # name@version of the last that touched it
    attempts: int


class Proof(Model):
    """The rows of a proof in the order of the prompt, where the answers to its unknowns come from, and the layout.

    `print(proof)` shows it as a table.
    """

    rows: tuple[Row, ...]
    sources: tuple[str, ...] = ()  # one sentence each
    regions: tuple[str, ...] = ()  # where things were to stand, and what fails there: one sentence each

    @classmethod
    def of(cls, outcome: Outcome) -> "Proof":
        """Return the proof of a run's best draft."""
        skills = {e.commitment: e.cause.signature for e in outcome.spec.events if e.cause.kind == "skill"}
        rows = (
            Row(
                commitment=c["id"],
                claim=c["claim"],
                verdict=c["status"] if c["status"] in ("blocked", "waived") else c["outcome"] or "unjudged",
                evidence=c["reason"],
                verifier=c["verifier"] or "",
                skill=skills.get(c["id"], ""),
                attempts=c["attempts"],
            )
            for c in json_report(outcome)["commitments"]
        )
        return cls(rows=tuple(rows), sources=tuple(_sources(outcome)), regions=tuple(_regions(outcome)))

    @property
    def met(self) -> int:
        """Return how many commitments are met."""
        return sum(row.verdict == "met" for row in self.rows)

    @property
    def summary(self) -> str:
        """Return the proof in a sentence."""
        waived = sum(row.verdict == "waived" for row in self.rows)
        return f"{self.met} of {len(self.rows) - waived} commitments met" + (f", {waived} waived" if waived else "")

    def __str__(self) -> str:
        cells = [HEADER, *(_cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells]
        return "\n".join(
            [*(line.rstrip() for line in lines), *map(visible, (*self.sources, *self.regions)), self.summary]
        )

    def _repr_html_(self) -> str:
        head = _html_row("th", HEADER)
        return f"<table>{head}{''.join(_html_row('td', _cells(row)) for row in self.rows)}</table><p>{self.summary}</p>"


#: What the columns of a printed proof are called.
HEADER = ("id", "commitment", "verdict", "evidence", "verifier", "skill", "attempts")


def _cells(row: Row) -> tuple[str, ...]:
    return tuple(visible(str(value)) for value in row.model_dump().values())


def _html_row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _regions(outcome: Outcome) -> list[str]:
    """Return a sentence for each region of the best draft."""
    if outcome.best is None:
        return []
    verdicts = outcome.verdicts.get(outcome.best.id, ())
    return [_region(region, verdicts) for region in outcome.best.request.regions]


def _region(region: Region, verdicts: Sequence[Verdict]) -> str:
    found = next((o.box for v in verdicts for o in v.evidence if o.region == region.id and o.box), None)
    failed = [v.commitment for v in verdicts if region.id in v.regions]
    seen = f", was seen at {found}" if found is not None else ""
    fails = f"; {', '.join(failed)} {'fails' if len(failed) == 1 else 'fail'} there" if failed else ""
    return f"{region.id}, {region.said}, was to stand at {region.box}{seen}{fails}"


def _sources(outcome: Outcome) -> list[str]:
    """Return a sentence for each source of an answer."""
    sentences = []
    for unknown, answer in answers(outcome.spec).items():
        for source in answer.sources:
            said = f': "{source.quote}"' if source.quote else ""
            licence = f" ({source.licence})" if source.licence else ""
            sentences.append(f'{unknown} is "{answer.words}", from {source.locator}{licence}{said}')
    return sentences
