"""The report shows what was said of a picture; whatever text it is given, it stays text."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

from scope.runs.report import render
from scope.specification import (
    Box,
    Cause,
    Commitment,
    Draft,
    Judgement,
    Kind,
    Observation,
    Request,
    Span,
    Specification,
    Status,
    Type,
    Verdict,
    from_pixels,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "</title><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>*{background:url(http://x)}</style>",
    "javascript:alert(1)",
    "\u202egnp.exe",
]


class Page(HTMLParser):
    """What a browser would see: tags with attributes, text, and the data block."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.inside = ""
        self.data = ""
        self.css = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.data += data
        elif self.inside == "style":
            self.css += data
        else:
            self.text.append(data)


def page(text: str = "an apple", boxes: tuple[Box, ...] = (Box.of(167, 63, 667, 313),), pictures: bool = True) -> str:
    apple = Commitment(
        id="e1",
        kind=Kind.ENTITY,
        type=Type.PRESENCE,
        claim=f"there is {text}",
        value="apple",
        span=Span(start=0, end=2),
    )
    spec = Specification(prompt=text).declare(apple, Cause.skill("decompose", "1"))
    spec = spec.move("e1", Status.BOUND, Cause.skill(text, "1")).move(
        "e1", Status.MET, Cause.verifier("fake@1"), draft="d1", evidence=Judgement(reason=text)
    )
    draft = Draft(id="d1", path="drafts/d1.png", sha256=text, request=Request(text=text), generator=text, seconds=1.5)
    verdict = Verdict(commitment="e1", outcome="met", reason=text, verifier=text,
        evidence=tuple(Observation(label=text, box=box) for box in boxes), details={"x": text},
    )  # fmt: skip
    image = Image.new("RGB", (16, 12), "red")
    return render(
        spec,
        [draft],
        {"d1": [verdict]},
        {"d1": image} if pictures else {},
        title=text,
        best="d1",
        seconds={"generate": 2.0, "verify": 1.0, "total": 3.0},
        notes=[text],
    )


def tags(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(attributes)) for tag, attributes in Page(page(text)).tags]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_no_tag_and_no_attribute(text: str) -> None:
    harmless = "x" * len(text)
    assert tags(text) == tags(harmless)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_data_block_holds_the_text_unchanged(text: str) -> None:
    data = json.loads(Page(page(text)).data)
    assert data["specification"]["prompt"] == text
    assert Specification.model_validate(data["specification"]).prompt == text


def test_the_policy_allows_our_style_and_nothing_else() -> None:
    seen = Page(page())
    (policy,) = [a["content"] for tag, a in seen.tags if tag == "meta" and "http-equiv" in a]
    rules = dict(rule.strip().split(" ", 1) for rule in str(policy).split(";"))
    digest = base64.b64encode(hashlib.sha256(seen.css.encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_it_opens_offline() -> None:
    text = page()
    assert not re.findall(r"https?://", text)
    assert not [a for _, a in Page(text).tags for name in a if name.startswith("on") or name == "style"]


def test_boxes_lie_over_the_picture_in_its_own_pixels() -> None:
    seen = Page(page(boxes=(from_pixels((1, 2, 5, 8), 16, 12), Box.of(0, 0, 1000, 1000))))
    (picture,) = [a for tag, a in seen.tags if tag == "svg" and "picture" in str(a.get("class"))]
    assert picture["viewbox"] == "0 0 16 12"
    boxes = [a for tag, a in seen.tags if tag == "rect" and a.get("class") == "met"]
    assert [[float(str(box[k])) for k in ("x", "y", "width", "height")] for box in boxes] == [
        [1, 2, 4, 6],
        [0, 0, 16, 12],
    ]
    (image,) = [a["href"] for tag, a in seen.tags if tag == "image"]
    pixels = Image.open(io.BytesIO(base64.b64decode(str(image).removeprefix("data:image/png;base64,"))))
    assert pixels.size == (16, 12)
    assert pixels.getpixel((3, 3)) == (255, 0, 0)


def test_evidence_without_boxes_draws_none() -> None:
    assert not [a for tag, a in Page(page(boxes=())).tags if tag == "rect" and a.get("class") == "met"]


def test_a_draft_whose_picture_is_gone_is_still_reported() -> None:
    seen = Page(page(pictures=False))
    assert "image" not in [tag for tag, _ in seen.tags]
    assert any("not there any more" in text for text in seen.text)
    assert any("there is an apple" in text for text in seen.text)
