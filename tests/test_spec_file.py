"""A specification in a file: what is written is read back, an edit is an event, what is wrong is named by its line."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Cli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from prompts import PROMPT

import scope
from scope.engine import spec_file
from scope.engine.editing import live
from scope.engine.written import from_yaml, line_of, to_yaml
from scope.errors import UsageError
from scope.parsing.grammar import Grammar
from scope.runs.png import read_record
from scope.skills.bind import Bind, request_of
from scope.specification import Cause, Commitment, Kind, Specification, Status, Type
from scope.testing import FakeReader, fake_toolbox

PROMPTS = (
    "two red apples to the left of a blue car on a beach",
    'a sign that says "NO" and a cat chasing a dog, oil painting',
    "the mascot of Team Zorvex to the left of as many stars as a bicycle has wheels",
    "a cat that is not red, no dogs",
)
APPLE = {"id": "a", "kind": "entity", "type": "presence", "claim": "there is an apple", "value": "apple"}
RED = {"id": "b", "kind": "constraint", "type": "attribute", "claim": "it is red", "value": "red", "targets": ["a"]}


def read(path: Path, text: str) -> Specification:
    path.write_text(text)
    return spec_file.read(path, FakeReader())


# -- there and back ------------------------------------------------------------------------------


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("name", ["spec.yaml", "spec.json"])
def test_what_is_written_is_read_back(tmp_path: Path, prompt: str, name: str) -> None:
    spec = Grammar().decompose(prompt)
    spec_file.write(spec, tmp_path / name)
    assert spec_file.read(tmp_path / name, Grammar()) == spec


@pytest.mark.parametrize(
    "value", ["NO", "on", "007", "1:30", "2024-01-01", "~", "true", "1e3", "a: b # c", "🍎", "\\n"]
)
def test_words_stay_words(tmp_path: Path, value: str) -> None:
    text = {"id": "t", "kind": "constraint", "type": "text", "claim": "it says so", "value": value}
    for name in ("spec.yaml", "spec.json"):
        dump = to_yaml if name.endswith("yaml") else json.dumps
        (said,) = read(tmp_path / name, dump({"commitments": [text]})).commitments
        assert said.value == value


def test_the_schema_holds_what_is_written_and_refuses_what_is_not_read(tmp_path: Path) -> None:
    check = Draft202012Validator(spec_file.schema())
    spec_file.write(FakeReader().decompose(PROMPT), tmp_path / "spec.json")
    document = json.loads((tmp_path / "spec.json").read_text())
    assert check.is_valid(document)
    for wrong in ({"span": None}, {"type": "colour"}, {"claims": "x"}):
        document["commitments"][0] |= wrong
        assert not check.is_valid(document)
        document["commitments"][0] = dict(APPLE)


def test_a_run_of_a_file_is_the_run_of_its_prompt(cli: Cli) -> None:
    assert cli("spec", PROMPT, "-o", "spec.yaml").stdout == "spec.yaml\n"
    Path("ledger.json").write_text(cli("spec", PROMPT, "--json").stdout)
    cli("generate", PROMPT, "-o", "prompt.png")
    for name in ("spec.yaml", "ledger.json"):
        done = cli("generate", "--spec", name, "-o", "file.png")
        assert done.exit_code == 0, done.stderr
        assert Path("file.png").read_bytes() == Path("prompt.png").read_bytes()


def test_an_edited_file_is_drawn_and_every_edit_is_an_event(cli: Cli) -> None:
    cli("spec", PROMPT, "-o", "spec.yaml")
    document = yaml.safe_load(Path("spec.yaml").read_text())
    red = next(entry for entry in document["commitments"] if entry["value"] == "red")
    red |= {"value": "green", "claim": "the apple is green"}
    Path("spec.yaml").write_text(yaml.safe_dump(document))
    done = cli("generate", "--spec", "spec.yaml", "-o", "a.png", "--json")
    assert done.exit_code == 0, done.stderr
    record = read_record(Path("a.png"))
    assert record.specification.statuses()[red["id"]] is Status.WAIVED
    assert "green" in record.draft.request.text
    assert "red" not in record.draft.request.text
    green = next(c for c in record.specification.commitments if c.value == "green")
    assert {str(e.cause) for e in record.specification.history(green.id)[:1]} == {"person:file"}


def test_a_run_of_a_file_goes_on_with_it(cli: Cli, home: Path) -> None:
    Path("spec.yaml").write_text(to_yaml({"commitments": [APPLE, RED]}))
    spec = scope.load_spec("spec.yaml")
    run = scope.app.start(scope.app.plan(spec, scope.Options()))
    Path("spec.yaml").unlink()
    assert cli("resume", run.id).exit_code == 0
    assert [c.value for c in scope.load_run(run.id).outcome.spec.commitments] == ["apple", "red"]


def test_without_a_prompt_the_commitments_own_words_are_drawn(tmp_path: Path) -> None:
    spec = read(tmp_path / "spec.yaml", to_yaml({"commitments": [APPLE, RED]}))
    assert spec.prompt == "a red apple"
    assert [(c.id, c.origin, c.depends_on) for c in live(spec)] == [("e1", "user", ()), ("c1", "user", ("e1",))]
    assert request_of(spec, seed=0).text == "a red apple"
    assert {spec.prompt[c.span.start : c.span.end] for c in live(spec) if c.span} == {"red", "apple"}


def test_what_a_person_adds_is_asked_for_in_words(tmp_path: Path) -> None:
    before = FakeReader().decompose("1 apple")
    hat = APPLE | {"id": "hat", "claim": "there is a hat", "value": "hat"}
    spec_file.write(before, tmp_path / "spec.json")
    document = json.loads((tmp_path / "spec.json").read_text())
    document["commitments"].append(hat)
    assert "hat" in request_of(read(tmp_path / "spec.json", json.dumps(document)), seed=0).text


# -- what cannot be used -------------------------------------------------------------------------


def listed(*entries: dict[str, Any]) -> str:
    return "commitments:\n" + "".join(f"- {json.dumps(entry)}\n" for entry in entries)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("commitments: [", "line 1"),
        ("a: 1\na: 2", "line 2"),
        ("x: &a [*a]", "holds itself"),
        (
            "a: &a [1, 1]\nb: &b [*a, *a]\n"
            + "".join(f"{y}: &{y} [{', '.join(['*' + x] * 9)}]\n" for x, y in zip("bcdef", "cdefg", strict=True)),
            "too much",
        ),
        ("!!python/object/apply:os.system [echo]", "tags"),
        ("- a", "line 1"),
        ("", "Document"),
        ("prompt: a star\ncommitments: []", "line 2, commitments"),
        (listed(APPLE, RED | {"type": "hue"}), "line 3, commitments.1.type"),
        (listed(APPLE, RED | {"claims": "x"}), "line 3, commitments.1.claims"),
        (listed({"id": "a"}), "line 2, commitments.0.kind: Field required"),
        (listed(APPLE | {"value": True}), "commitments.0.value: a value is words or a number"),
        (listed(APPLE | {"value": ""}), "commitments.0.value"),
        (listed(APPLE | {"value": 10**7}), "a number is 0 to"),
        (listed(APPLE | {"priority": 9}), "commitments.0.priority"),
        (listed(APPLE | {"kind": "constraint"}), "presence is of kind entity"),
        (listed(APPLE, RED | {"targets": []}), "one thing at least"),
        (listed(APPLE, RED | {"type": "relation"}), "two things at least"),
        (listed(APPLE, RED | {"targets": ["e9"]}), "b speaks of e9, which is no thing that is there"),
        (listed(APPLE, RED, RED | {"id": "c", "targets": ["b"]}), "c speaks of b, which is no thing"),
        (listed(APPLE, APPLE), "a is there twice"),
        (listed(RED | {"type": "style", "targets": []}), "nothing would be left to draw"),
        (listed(APPLE | {"span": None}), "span follows from the rest"),
        (listed(*(APPLE | {"id": f"a{n}"} for n in range(300))), "commitments"),
        ("[" * 3000, "not YAML"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_file_and_line(cli: Cli, text: str, said: str) -> None:
    Path("spec.yaml").write_text(text)
    done = cli("generate", "--spec", "spec.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("scope: spec.yaml: ")
    assert said in line


@pytest.mark.parametrize(
    "content", [None, b"\xff\xfe\x00", b"x" * (spec_file.MAX_BYTES + 1), b"{\n]", b'{"a": 1, "a": 2}']
)
def test_a_file_that_is_none(cli: Cli, content: bytes | None) -> None:
    if content is not None:
        Path("spec.json").write_bytes(content)
    done = cli("generate", "--spec", "spec.json")
    assert done.exit_code == 2
    assert done.stderr.startswith("scope: spec.json: ")


def test_a_ledger_that_could_not_have_been_is_refused(cli: Cli) -> None:
    ledger = json.loads(cli("spec", PROMPT, "--json").stdout)
    ledger["events"][1]["before"] = "met"
    Path("spec.json").write_text(json.dumps(ledger))
    assert cli("generate", "--spec", "spec.json").exit_code == 2


@pytest.mark.parametrize("arguments", [(), (PROMPT, "--spec", "spec.yaml")])
def test_a_prompt_or_a_file_and_not_both(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli("generate", *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--spec FILE" in done.stderr


def test_lines_are_those_of_the_nearest_that_is_there() -> None:
    text = "a:\n- b: 1\n-\n  c: 2\n"
    assert [line_of(text, where) for where in (("a",), ("a", 1, "c"), ("a", 1, "x"), ("a", 9), ())] == [2, 4, 4, 2, 1]
    assert line_of("{", ("a",)) is None
    assert from_yaml(text) == {"a": [{"b": 1}, {"c": 2}]}


def test_things_may_be_named_after_what_speaks_of_them(tmp_path: Path) -> None:
    spec = read(tmp_path / "spec.yaml", to_yaml({"commitments": [RED, APPLE]}))
    assert spec["c1"].targets == ("e1",)


def test_a_commitment_given_in_code_is_declared_as_it_is() -> None:
    spec = Specification(prompt="a star").declare(
        Commitment(id="e1", kind=Kind.ENTITY, type=Type.PRESENCE, claim="there is a star", value="star"),
        Cause(kind="person", name="test"),
    )
    assert scope.app.plan(spec, scope.Options()).specification == spec


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.sampled_from(
        ["e1", "c1", "entity", "unknown", "presence", "relation", "count", "text", "absence", "\x1b[2J", "\ud800", "~"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@pytest.mark.heavy
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(["spec.json", "spec.yaml"]))
def test_whatever_stands_in_a_file_it_is_read_or_refused_in_a_line(
    tmp_path: Path, data: st.DataObject, name: str
) -> None:
    spec_file.write(FakeReader().decompose(PROMPT + " ?sleepy"), tmp_path / "good.json")
    document = json.loads((tmp_path / "good.json").read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        entry = data.draw(st.sampled_from([document, *document["commitments"]]))
        entry[data.draw(st.sampled_from([*entry, "new"]))] = data.draw(JUNK)
        if not isinstance(document["commitments"], list) or not document["commitments"]:
            break
        document["commitments"] = [entry for entry in document["commitments"] if isinstance(entry, dict)] or [APPLE]
    spec, why = read_or_refused(tmp_path / name, json.dumps(document))
    assert spec is None or request_of(Bind().run(spec, fake_toolbox()), seed=0).text
    assert spec is not None or len(why.splitlines()) == 1


def read_or_refused(path: Path, text: str) -> tuple[Specification | None, str]:
    try:
        return read(path, text), ""
    except UsageError as error:
        return None, str(error)


def test_the_file_of_the_documents_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "specification.md").read_text()
    (text,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "spec.yaml").write_text(text)
    spec = spec_file.read(tmp_path / "spec.yaml", Grammar())
    assert {c.value for c in live(spec)} == {"apple", 2, "green"}
    assert spec.where(Status.WAIVED)
