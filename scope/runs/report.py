"""A run as one HTML file that opens offline: drafts with boxes, verdicts, and the timeline of each commitment.

Everything shown is text that somebody else wrote, so it is shown and never run: the template escapes all of it, the
data block escapes `<`, `>` and `&`, and the page's own policy allows no script, no request, and no style but ours.
"""

import base64
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from scope.runs.store import SCHEMA, versions
from scope.specification import JUDGED, Box, Draft, Event, Specification, Verdict, to_pixels

_DATA = Path(str(files("scope.data")))
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # orders to terminals, and halves of characters


def render(
    spec: Specification,
    drafts: Sequence[Draft],
    verdicts: Mapping[str, Sequence[Verdict]],
    pictures: Mapping[str, Image.Image],
    *,
    title: str,
    best: str | None = None,
    seconds: Mapping[str, float] | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Return the page.

    Args:
        spec: the specification with its ledger.
        drafts: every draft, in the order in which they were made.
        verdicts: draft id -> its verdicts.
        pictures: draft id -> its pixels; a draft without any is shown as missing.
        title: what the page is called: a run's id or a file's name.
        best: the id of the draft that was returned.
        seconds: stage -> wall seconds.
        notes: sentences for the reader, such as what went wrong on the way.
    """
    css = (_DATA / "report.css").read_text(encoding="utf-8")
    environment = Environment(loader=FileSystemLoader(_DATA), autoescape=True, undefined=StrictUndefined)
    page = environment.get_template("report.html.j2").render(
        title=title,
        version=versions().get("scope-t2i", ""),
        css=Markup(css),
        css_hash=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
        prompt=_marked(spec),
        drafts=[_draft(draft, spec, verdicts.get(draft.id, ()), pictures.get(draft.id)) for draft in drafts],
        best=best,
        timelines=[{"commitment": c, "events": [_step(e) for e in spec.history(c.id)]} for c in spec.commitments],
        seconds=_bars(seconds or {}),
        notes=notes,
        data={
            "schema": SCHEMA,
            "specification": spec.model_dump(mode="json"),
            "drafts": [draft.model_dump(mode="json") for draft in drafts],
            "verdicts": {name: [v.model_dump(mode="json") for v in told] for name, told in verdicts.items()},
        },
    )
    return _UNSEEN.sub("\ufffd", page)


def is_report(head: bytes) -> bool:
    """Return whether a file that begins so is a page of scope's."""
    return b'<meta name="generator" content="scope">' in head


def _marked(spec: Specification) -> list[tuple[str, str]]:
    """Return the prompt as (text, ids of the commitments that read it) pieces."""
    spans = [(c.id, c.span) for c in spec.commitments if c.span is not None]
    ends = {0, len(spec.prompt)} | {end for _, span in spans for end in (span.start, span.end)}
    cuts = sorted(cut for cut in ends if 0 <= cut <= len(spec.prompt))
    return [
        (spec.prompt[start:end], " ".join(i for i, span in spans if span.start <= start and end <= span.end))
        for start, end in pairwise(cuts)
    ]


def _draft(
    draft: Draft, spec: Specification, verdicts: Sequence[Verdict], picture: Image.Image | None
) -> dict[str, Any]:
    claims = {c.id: c.claim for c in spec.commitments}
    size = (1, 1) if picture is None else picture.size
    rows = [
        {"verdict": v, "claim": claims.get(v.commitment, ""), "outcome": _outcome(v), "boxes": _boxes(v, size)}
        for v in verdicts
    ]
    return {
        "draft": draft,
        "rows": rows,
        "picture": None if picture is None else _data_uri(picture),
        "size": size,
        "regions": [
            {"region": r, "failed": [v.commitment for v in verdicts if r.id in v.regions], **_rectangle(r.box, size)}
            for r in draft.request.regions
        ],
        "violated": sum(row["outcome"] in ("violated", "blocked") for row in rows),
        "unjudged": sum(row["outcome"] == "unjudged" for row in rows),
    }


def _outcome(verdict: Verdict) -> str:
    if verdict.blocked_by is not None:
        return "blocked"
    return verdict.outcome or "unjudged"


def _boxes(verdict: Verdict, size: tuple[int, int]) -> list[dict[str, int]]:
    """Return the boxes of a verdict's evidence as rectangles in pixels of a picture of this (width, height)."""
    return [_rectangle(seen.box, size) for seen in verdict.evidence if seen.box is not None]


def _rectangle(box: Box, size: tuple[int, int]) -> dict[str, int]:
    x0, y0, x1, y1 = to_pixels(box, *size)
    return {"x": x0, "y": y0, "width": x1 - x0, "height": y1 - y0}


def _data_uri(picture: Image.Image) -> str:
    """Return the pixels alone, encoded afresh: nothing else that the file held comes along."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def _step(event: Event) -> dict[str, Any]:
    evidence = event.evidence.model_dump_json(indent=1) if event.evidence else ""
    return {"event": event, "status": str(event.after), "judged": event.after in JUDGED, "evidence": evidence}


def _bars(seconds: Mapping[str, float]) -> list[dict[str, Any]]:
    longest = max((s for name, s in seconds.items() if name != "total"), default=0.0)
    return [
        {"name": name, "seconds": s, "share": 0.0 if longest <= 0 or name == "total" else 100 * s / longest}
        for name, s in seconds.items()
    ]
