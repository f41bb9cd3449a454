"""Draw the pictures of docs/gallery.md, each with its proof. Run from the repository: python examples/gallery.py.

It shows scope from Python: one call, its picture and its proof.
"""

import re
from pathlib import Path

import scope
from scope.runs.png import read_record, save_png

PROMPTS = (
    "two red apples to the left of a blue car on a beach",
    "a yellow star at night",
    "a green turtle in a meadow",
    "three pink balloons",
    'two robots and a sign that says "HELLO"',
    "a yellow cat on top of a brown couch",
    "a purple umbrella next to a centaur",  # a word that the shipped weights do not know
)
DOCS = Path(__file__).parent.parent / "docs"


def draw(prompt: str) -> scope.Result:
    """Draw a prompt with the embedded defaults, and put the picture into docs/img/."""
    result = scope.generate(prompt, options=scope.Options(learned=False))
    assert result.image is not None, "a run without a time budget always has a draft"
    path = picture_of(prompt)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, result.image.resize((256, 256)), None)
    return result


def picture_of(prompt: str) -> Path:
    """Return where the picture of a prompt lies."""
    return DOCS / "img" / "gallery" / f"{re.sub('[^a-z0-9]+', '-', prompt.lower()).strip('-')}.png"


def section(prompt: str, result: scope.Result) -> str:
    """Return the Markdown of one picture: what was asked for, and what became of it."""
    outcome = result.outcome
    rows = [f"| {r.commitment} | {r.claim} | {r.verdict} | {r.evidence} | {r.attempts} |" for r in result.proof.rows]
    head = ["| id | commitment | verdict | evidence | attempts |", "|---|---|---|---|--:|"]
    picture = f"![{prompt}]({picture_of(prompt).relative_to(DOCS).as_posix()})"
    ending = f"exit {outcome.exit}; {len(outcome.drafts)} drafts in {outcome.seconds['total']:.1f} s"
    return "\n".join([f"## {prompt}", "", picture, "", *head, *rows, "", ending, ""])


def heading(result: scope.Result) -> str:
    """Return the head of the page: how the pictures were made, and by which weights."""
    assert result.path is not None
    weights = ", ".join(f"{name} `{sha256[:12]}`" for name, sha256 in read_record(result.path).weights.items())
    return (
        "# Gallery\n\nWhat the shipped weights draw at seed 0 with the defaults and nothing learnt from earlier runs "
        f"(`--no-learned`):\n`python examples/gallery.py`. Weights by their sha256: {weights}.\n"
    )


def main() -> None:
    """Draw all of them and write the page."""
    results = [draw(prompt) for prompt in PROMPTS]
    sections = [section(prompt, result) for prompt, result in zip(PROMPTS, results, strict=True)]
    (DOCS / "gallery.md").write_text("\n".join([heading(results[0]), *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
