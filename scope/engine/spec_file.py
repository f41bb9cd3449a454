"""A specification in a file, as YAML or JSON: what `scope spec -o` writes, and `--spec` takes where a prompt stands.

    prompt: two red apples on a beach
    commitments:
    - {id: e1, kind: entity, type: presence, claim: there are apples, value: apple}

With a prompt, the commitments are an edit of how the prompt is read, and every difference is an event of the ledger.
Without one they are all there is, and their own words are what is drawn.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from scope.engine.editing import Entry, first_fault, live, plain, rewritten
from scope.engine.written import from_json, from_yaml, line_of, to_yaml
from scope.errors import PromptError, StateCorrupt, UsageError
from scope.files import read_file, write_over
from scope.protocols import Reader
from scope.skills.realize import sentence
from scope.specification import Cause, Model, Specification, fold
from scope.text import printable

CAUSE = Cause(kind="person", name="file")
MAX_BYTES = 1024 * 1024
MOST_COMMITMENTS = 200


class Document(Model):
    """What a picture is to keep."""

    prompt: str | None = Field(default=None, max_length=10_000, description="the words; without them, the claims' own")
    commitments: tuple[Entry, ...] = Field(min_length=1, max_length=MOST_COMMITMENTS)

    @model_validator(mode="after")
    def _once(self) -> "Document":
        names = [entry.id for entry in self.commitments]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} is there twice; an id names one commitment")
        return self


def schema() -> dict[str, Any]:
    """Return the JSON Schema of such a file."""
    return Document.model_json_schema()


def write(spec: Specification, path: Path) -> None:
    """Write a specification so that `read` gives it back: JSON where the name ends so, else YAML.

    Raises: OutputError, also if there is a file that is no such document.
    """
    document = {"prompt": spec.prompt, "commitments": [plain(c) for c in live(spec)]}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n" if _is_json(path) else to_yaml(document)
    write_over(path, text.encode(), lambda head: head.startswith((b"prompt:", b'{\n "prompt":')))


def read(path: Path, reader: Reader) -> Specification:
    """Return the specification of a file; `reader` reads its prompt.

    What `scope spec --json` prints is read, too: its ledger.

    Raises: UsageError that names the file and the line or field that cannot be used.
    """
    text = _text(path)
    try:
        return specification(_document((from_json if _is_json(path) else from_yaml)(text)), reader)
    except ValidationError as error:
        line = line_of(text, error.errors()[0]["loc"])
        raise UsageError(f"{path}: {f'line {line}, ' if line else ''}{first_fault(error)}") from error
    except (UsageError, StateCorrupt) as error:
        raise UsageError(f"{path}: {error}") from error


def specification(document: Document, reader: Reader) -> Specification:
    """Return the specification that a document says.

    Raises: UsageError.
    """
    entries = {entry.id: entry for entry in document.commitments}
    if not document.prompt:
        return _in_own_words(rewritten(Specification(prompt=""), entries, CAUSE))
    return rewritten(_read(document.prompt, reader), entries, CAUSE)


def _read(prompt: str, reader: Reader) -> Specification:
    """Return how a prompt is read; with nothing declared where nothing in it can be drawn."""
    try:
        return reader.decompose(prompt)
    except PromptError:
        return Specification(prompt=printable(prompt))


def _in_own_words(spec: Specification) -> Specification:
    """Return a specification without a prompt with the sentence that says it as one, every claim with its words."""
    text, bindings = sentence(spec)
    spans = {binding.commitment: binding.span for binding in reversed(bindings)}
    events = tuple(
        e.model_copy(update={"declares": e.declares.model_copy(update={"span": spans.get(e.commitment)})})
        if e.declares is not None
        else e
        for e in spec.events
    )
    return Specification(prompt=text, events=events)


def _document(loaded: Any) -> Document:
    """Return the document; of a whole specification, what its ledger declares.

    Raises: ValidationError, StateCorrupt.
    """
    if isinstance(loaded, dict) and "events" in loaded and "commitments" not in loaded:
        whole = Specification.model_validate({name: loaded[name] for name in ("prompt", "events") if name in loaded})
        declared = live(fold(whole.prompt, whole.events))
        loaded = {"prompt": whole.prompt, "commitments": [plain(commitment) for commitment in declared]}
    return Document.model_validate(loaded)


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _text(path: Path) -> str:
    """Return the text of a file.

    Raises: UsageError if it is no regular file of UTF-8 within `MAX_BYTES`.
    """
    try:
        return read_file(path, MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(f"{path}: there is no such file") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 text: {error}") from error
