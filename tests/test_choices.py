"""What a prompt leaves to choose is one unknown with its alternatives, and promises none of them."""

import pytest

from scope.parsing.grammar import Grammar
from scope.parsing.prompt import uncovered
from scope.specification import Kind, Type

# Prompt -> the alternatives; the things that are there whatever is chosen.
CHOICES: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "a cat or a dog": (("a cat", "a dog"), set()),
    "either a cat or a dog": (("a cat", "a dog"), set()),
    "cats or dogs": (("cats", "dogs"), set()),
    "an apple, a pear or a plum": (("an apple", "a pear", "a plum"), set()),
    "a bus and either a car or a truck": (("a car", "a truck"), {"bus"}),
    "a cat or a dog on a table": (("a cat", "a dog"), {"table"}),
    "a man riding a horse or a bike": (("a horse", "a bike"), {"man"}),
    "a cat on a chair or a table": (("a chair", "a table"), {"cat"}),
    "a red or blue car": (("red", "blue"), {"car"}),
    "a red, blue or green car": (("red", "blue", "green"), {"car"}),
    "a car that is red or blue": (("red", "blue"), {"car"}),
    "a dog that is running or sleeping": (("running", "sleeping"), {"dog"}),
    'a sign that says "YES" or "NO"': (("YES", "NO"), {"sign"}),
}


@pytest.mark.parametrize("prompt", CHOICES)
def test_a_choice_is_one_unknown(prompt: str) -> None:
    spec = Grammar().decompose(prompt)
    alternatives, things = CHOICES[prompt]
    assert [c.alternatives for c in spec.commitments if c.kind is Kind.UNKNOWN] == [alternatives]
    assert {str(c.value) for c in spec.of(Type.PRESENCE)} == things
    assert not [c for c in spec.commitments if str(c.value) in alternatives and c.kind is Kind.CONSTRAINT]
    assert uncovered(spec) == []


@pytest.mark.parametrize("prompt", ["a park without benches or trees", "a ball that is not red or blue"])
def test_what_is_denied_is_no_choice(prompt: str) -> None:
    spec = Grammar().decompose(prompt)
    assert not [c for c in spec.commitments if c.alternatives]
    assert len([c for c in spec.commitments if c.type is Type.ABSENCE or c.denied]) == 2
