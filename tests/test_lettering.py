"""Words to be read in the picture: in whatever quotation marks, on what they are written, what only looks like some."""

import pytest
from reading import lines

from scope.parsing.grammar import Grammar
from scope.parsing.prompt import uncovered

PROMPTS: dict[str, str] = {
    # a whole prompt in quotation marks is a prompt
    '"a cat on a mat"': "e1 cat; e2 mat; e1 on e2",
    "“two red apples”": "e1 apple; e1 #2; e1 red",
    "'a dog and a cat'.": "e1 dog; e2 cat",
    '"A sign that says OPEN"': "e1 sign; e1 'OPEN'",
    "\"a sign that says 'OPEN'\"": "e1 sign; e1 'OPEN'",
    '"HELLO"': "'HELLO'",
    '"Keep Out"': "'Keep Out'",
    '"HELLO" and "BYE" on a wall': "e1 wall; e1 'HELLO'; e1 'BYE'",
    # whatever marks
    'a mug that says "I\'m fine"': "e1 mug; e1 'I'm fine'",
    "a sign that reads “It’s OK”": "e1 sign; e1 'It’s OK'",
    "a poster that says 'Rock 'n' Roll'": "e1 poster; e1 'Rock 'n' Roll'",
    "a man's hat and the dogs' bowls": "e1 man; e2 hat; e2 of e1; e3 dog; e4 bowl",
    # a name is not to be read, but on what carries one
    "a cat named Tom": "e1 cat; ? named Tom e1",
    'a dog called "Rex" on a beach': 'e1 dog; @ beach; ? called "Rex" e1',
    'a boat named "Hope"': "e1 boat; e1 'Hope'",
    "a bakery called Sunrise": "e1 bakery; e1 'Sunrise'",
    # announced in words
    "a jar labeled honey": "e1 jar; e1 'honey'",
    "a sign with the text: Keep Out": "e1 sign; e1 'Keep Out'",
    "a card that says: happy birthday": "e1 card; e1 'happy birthday'",
    "the word hello on a mug": "e1 mug; e1 'hello'",
    # what they are on
    'the words "HELLO" on a mug next to a plate': "e1 mug; e2 plate; e1 'HELLO'; e1 next to e2",
    'a poster that says "SALE" and "TODAY"': "e1 poster; e1 'SALE'; e1 'TODAY'",
    'a billboard with "SALE" and a mug with "TEA"': "e1 billboard; e2 mug; e1 'SALE'; e2 'TEA'",
    '"EXIT" in red letters on a door': "e1 door; e1 'EXIT'; ? red letters",
    # marks that only raise an eyebrow
    'a "happy" cat': "e1 cat; e1 ~happy",
    'a "welcome" sign': "e1 sign; e1 'welcome'",
}


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_words_are_read_on_what_carries_them(grammar: Grammar, prompt: str) -> None:
    spec = grammar.decompose(prompt)
    assert lines(spec) == sorted(PROMPTS[prompt].split("; "))
    assert uncovered(spec) == []
