"""Draw the pictures of docs/gallery.md, each with its proof. Run from the repository: python examples/gallery.py.

It shows scope from Python: a run, a toolbox, the state machine, the outcome.
"""

import re
from pathlib import Path

from scope.config import Options
from scope.engine import assemble, graph
from scope.engine.outcome import Outcome, json_report
from scope.runs import store
from scope.runs.png import open_png, save_png

PROMPTS = (
    "two red apples to the left of a blue car on a beach",
    "a yellow star at night",
    "a green turtle in a meadow",
    "three pink balloons",
    "a brown dog in the snow",
    "a purple umbrella next to a unicorn",  # a word that the shipped weights do not know
)
DOCS = Path(__file__).parent.parent / "docs"


def draw(prompt: str) -> tuple[Outcome, Path]:
    """Run the machine on a prompt with the embedded defaults, and put the best draft into docs/."""
    run = store.create(prompt, Options(learned=False))
    outcome = graph.generate(run, assemble.of(run))
    assert outcome.best is not None, "a run without a time budget always has a draft"
    path = DOCS / "gallery" / f"{re.sub('[^a-z0-9]+', '-', prompt)}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_png(path, open_png(run.folder / outcome.best.path).resize((256, 256)), None)
    return outcome, path


def section(prompt: str, outcome: Outcome, path: Path) -> str:
    """Return the Markdown of one picture: what was promised, and what became of it."""
    rows = [
        f"| {c['id']} | {c['claim']} | {c['status']} | {c['reason']} | {c['attempts']} |"
        for c in json_report(outcome)["commitments"]
    ]
    head = ["| id | commitment | verdict | evidence | attempts |", "|---|---|---|---|--:|"]
    picture = f"![{prompt}]({path.relative_to(DOCS).as_posix()})"
    ending = f"exit {outcome.exit}; {len(outcome.drafts)} drafts in {outcome.seconds['total']:.1f} s"
    return "\n".join([f"## {prompt}", "", picture, "", *head, *rows, "", ending, ""])


def main() -> None:
    """Draw all of them and write the page."""
    sections = [section(prompt, *draw(prompt)) for prompt in PROMPTS]
    title = "# Gallery\n\nWhat the shipped weights draw at seed 0 with the defaults: `python examples/gallery.py`.\n"
    (DOCS / "gallery.md").write_text("\n".join([title, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
