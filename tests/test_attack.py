"""What others wrote does no harm: a small size of `scope bench attack`, and that it would notice if it did."""

import base64
from random import Random

import httpx
import pytest
from pydantic import SecretStr

from scope import app
from scope.benchmarks.attacks import endpoint, works
from scope.benchmarks.attacks.tally import Tally
from scope.benchmarks.experiments.attack import KINDS
from scope.errors import UsageError
from scope.files import write_atomic
from scope.net.redaction import HIDDEN, Redaction

pytestmark = pytest.mark.heavy


@pytest.mark.parametrize("kind", KINDS)
def test_no_attack_bites(kind: str) -> None:
    attack, count = KINDS[kind]
    tally = attack(min(count // 10, 200), Random(1))  # others than the published ones
    assert tally.failures == []
    assert tally.tried == min(count // 10, 200)


# -- and what it would notice --------------------------------------------------------------------


def test_what_is_no_error_of_scope_is_a_failure() -> None:
    def refused() -> None:
        raise UsageError("no")

    tally = Tally()
    tally.attempt("harmless", lambda: None)
    tally.attempt("refused", refused)
    assert tally.failures == []
    tally.attempt("divided", lambda: 1 // 0)
    tally.attempt("harmful", refused, lambda said: f"it says {said}")
    assert tally.failures == ["divided: ZeroDivisionError: integer division or modulo by zero", "harmful: it says no"]
    metrics = tally.row("kind").metrics
    assert (metrics["tried"].value, metrics["failed"].value) == (4, 2)


def test_a_file_that_is_written_over_is_noticed() -> None:
    with works.works() as made:
        assert made.harm() == ""
        write_atomic(made.victim, b"other")
        assert "wrote over" in made.harm()
        (made.folder / ".a.partial").touch()
        assert "part of a file" in made.harm()


def test_a_key_that_is_shown_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redaction, "__call__", lambda self, said: said)
    monkeypatch.setattr(Redaction, "plain", lambda self, said: said)
    monkeypatch.setattr(endpoint, "_REDACT", lambda said: said.replace(endpoint.KEY, HIDDEN))
    assert any("the key is shown" in failure for failure in endpoint.attack(60, Random(0)).failures)


def test_pixels_that_were_not_judged_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scope.runs.png.is_tied", lambda record, path: True)
    monkeypatch.setattr(app, "_drew", lambda result, path: True)
    attack, _ = KINDS["sidecars"]
    assert any("other pixels" in failure for failure in attack(12, Random(0)).failures)


# -- the key -------------------------------------------------------------------------------------

KEY = "sk-canary-5b1d6c0e+/="


@pytest.mark.parametrize(
    "said",
    [
        KEY, KEY.upper(), f"Bearer {KEY}.", " ".join(KEY), "\u200b".join(KEY), KEY.replace("-", "-\n"),
        KEY.encode().hex(), str(httpx.QueryParams({"key": KEY})), f"a{KEY}b{KEY}c",
    ],
)  # fmt: skip
def test_a_key_is_hidden_however_it_is_written(said: str) -> None:
    shown = Redaction(SecretStr(KEY))(said)
    assert HIDDEN in shown
    assert "canary" not in shown.lower()


@pytest.mark.parametrize("before", ["", "a", "ab", "Bearer ", "Basic user:"])
def test_a_key_is_hidden_in_base64_wherever_it_begins(before: str) -> None:

    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        written = encode(f"{before}{KEY} and more".encode()).decode()
        shown = Redaction(SecretStr(KEY))(written)
        gone = len(written) - len(shown.replace(HIDDEN, ""))
        assert gone >= 8 * len(KEY) // 6 - 2  # letters that are the key's alone


@pytest.mark.parametrize("word", ["EMPTY", "none", "token", ""])
def test_a_word_in_place_of_a_key_hides_no_word(word: str) -> None:
    assert Redaction(SecretStr(word))("an empty beach, none on it, token") == "an empty beach, none on it, token"


def test_texts_in_an_answer_are_searched_through_and_the_rest_stays() -> None:
    redact = Redaction(SecretStr(KEY))
    assert redact.plain({"a": [KEY, 1, None, {KEY: True}]}) == {"a": [HIDDEN, 1, None, {HIDDEN: True}]}
