"""Another of a kind, and one of several."""

import pytest
from reading import assert_reads

from scope.parsing.grammar import Grammar

# As in test_grammar.py: "e1 not red" is denied, "e2 cup of e1" a part of e1.
PROMPTS: dict[str, str] = {
    # one / another / other
    "a red ball and a blue one": "e1 ball, e1 red, e2 ball, e2 blue",
    "a big dog next to a small one": "e1 dog, e1 ~big, e2 dog, e2 ~small, e1 next to e2",
    "two red balls and a blue one": "e1 ball, e1 #2, e1 red, e2 ball, e2 blue",
    "two red balls and three blue ones": "e1 ball, e1 #2, e1 red, e2 ball, e2 #3, e2 blue",
    "a dog next to another dog": "e1 dog, e2 dog, e1 next to e2",
    "a dog next to another": "e1 dog, e2 dog, e1 next to e2",
    "a cup on top of another cup": "e1 cup, e2 cup, e1 on top of e2",
    "a dog chasing another one": "e1 dog, e2 dog, e1 chasing e2",
    "a red ball and a blue ball. The red one is shiny.": "e1 ball, e1 red, e2 ball, e2 blue, e1 ~shiny",
    "one red ball and one green": "e1 ball, e1 red, e2 ball, e2 green",
    "a large bird and a smaller one on a branch": (
        "e1 bird, e1 ~large, e2 bird, e2 ~smaller, e3 branch, e2 on e3, e1 on e3"
    ),
    "a white cat and another black cat": "e1 cat, e1 white, e2 cat, e2 black",
    "a white cat and a black one sitting on a chair": (
        "e1 cat, e1 white, e2 cat, e2 black, e3 chair, e2 ~sitting, e2 on e3, e1 on e3"
    ),
    # one of several
    "two cups. The left cup is red and the right cup is blue.": (
        "e1 cup, e1 #2, e2 cup of e1, e2 red, e3 cup of e1, e3 blue, e2 left of e3"
    ),
    "two cups, the left one is red and the right one is blue": (
        "e1 cup, e1 #2, e2 cup of e1, e2 red, e3 cup of e1, e3 blue, e2 left of e3"
    ),
    "four cats, two of them black": "e1 cat, e1 #4, e2 cat of e1, e2 #2, e2 black",
    "four cats, two of them are black": "e1 cat, e1 #4, e2 cat of e1, e2 #2, e2 black",
    "Two cats, one black and one white": "e1 cat, e1 #2, e2 cat of e1, e2 black, e3 cat of e1, e3 white",
    "two dogs, one black, the other white": "e1 dog, e1 #2, e2 dog of e1, e2 black, e3 dog of e1, e3 white",
    "two dogs. One is black, the other is white.": "e1 dog, e1 #2, e2 dog of e1, e2 black, e3 dog of e1, e3 white",
    "two apples, one red and one green": "e1 apple, e1 #2, e2 apple of e1, e2 red, e3 apple of e1, e3 green",
    "11 mice, 6 are red and 5 are yellow": (
        "e1 mouse, e1 #11, e2 mouse of e1, e2 #6, e2 red, e3 mouse of e1, e3 #5, e3 yellow"
    ),
    "five balloons, two red and three blue": (
        "e1 balloon, e1 #5, e2 balloon of e1, e2 #2, e2 red, e3 balloon of e1, e3 #3, e3 blue"
    ),
    "three dogs, one of them is sleeping": "e1 dog, e1 #3, e2 dog of e1, e2 ~sleeping",
    "three birds, one of which is red": "e1 bird, e1 #3, e2 bird of e1, e2 red",
    "three cups. One of the cups is red.": "e1 cup, e1 #3, e2 cup of e1, e2 red",
    "five cars. Two of the cars are blue, the rest are white.": (
        "e1 car, e1 #5, e2 car of e1, e2 #2, e2 blue, e3 car of e1, e3 #3, e3 white"
    ),
    "five cars, one is blue and the others are white": (
        "e1 car, e1 #5, e2 car of e1, e2 blue, e3 car of e1, e3 #4, e3 white"
    ),
    "four apples, half of them are green": "e1 apple, e1 #4, e2 apple of e1, e2 #2, e2 green",
    "six eggs, half of which are brown": "e1 egg, e1 #6, e2 egg of e1, e2 #3, e2 brown",
    "three dogs, all of them black": "e1 dog, e1 #3, e1 black",
    "three dogs, none of them black": "e1 dog, e1 #3, e1 not black",
    "three men, one wearing a hat": "e1 man, e1 #3, e2 man of e1, e3 hat, e2 wearing e3",
    "three men, one with a hat": "e1 man, e1 #3, e2 man of e1, e3 hat, e2 with e3",
    "two dogs. The first dog is black and the second dog is white.": (
        "e1 dog, e1 #2, e2 dog of e1, e2 black, e3 dog of e1, e3 white"
    ),
    "two dogs: the first is black, the second is white": (
        "e1 dog, e1 #2, e2 dog of e1, e2 black, e3 dog of e1, e3 white"
    ),
    "two boys, one holding a ball and the other holding a kite": (
        "e1 boy, e1 #2, e2 boy of e1, e3 ball, e2 holding e3, e4 boy of e1, e5 kite, e4 holding e5"
    ),
    "three cubes: a red one, a blue one and a green one": (
        "e1 cube, e1 #3, e2 cube of e1, e2 red, e3 cube of e1, e3 blue, e4 cube of e1, e4 green"
    ),
    "three sheep, two white and one black": (
        "e1 sheep, e1 #3, e2 sheep of e1, e2 #2, e2 white, e3 sheep of e1, e3 black"
    ),
    "ten candles, of which four are lit": "e1 candle, e1 #10, e2 candle of e1, e2 #4, e2 ~lit",
    "two cars, one on the left and one on the right": (
        "e1 car, e1 #2, e2 car of e1, @ left e2, e3 car of e1, @ right e3"
    ),
    "four birds, three of them flying and one sitting": (
        "e1 bird, e1 #4, e2 bird of e1, e2 #3, e2 ~flying, e3 bird of e1, e3 ~sitting"
    ),
    "a group of dogs, one of them is white": "e1 dog, ? a group of e1, e2 dog of e1, e2 white",
    "several balloons, some red, some blue": (
        "e1 balloon, ? several e1, e2 balloon of e1, e2 red, e3 balloon of e1, e3 blue, ? some e2, ? some e3"
    ),
}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_reads(prompt: str) -> None:
    assert_reads(Grammar().decompose(prompt), PROMPTS[prompt], ones=False)
