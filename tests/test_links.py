"""What belongs to what, and whom a pronoun means."""

import pytest
from reading import assert_reads

from scope.parsing.grammar import Grammar

# As in test_grammar.py: "e1 not red" is denied, "e2 cup of e1" a part of e1.
PROMPTS: dict[str, str] = {
    # with / has
    "a man with a dog and a woman with a cat": "e1 man, e2 dog, e3 woman, e4 cat, e1 with e2, e3 with e4",
    "a man with a dog": "e1 man, e2 dog, e1 with e2",
    "a girl has a red balloon": "e1 girl, e2 balloon, e2 red, e1 with e2",
    "a boy who has a kite": "e1 boy, e2 kite, e1 with e2",
    "a boy having a kite": "e1 boy, e2 kite, e1 with e2",
    "a cat with a hat and a ball": "e1 cat, e2 hat, e3 ball, e1 with e2, e1 with e3",
    "a dog and a cat with hats": "e1 dog, e2 cat, e3 hat, e2 with e3",
    "two dogs with red collars": "e1 dog, e1 #2, e2 collar, e2 red, e1 with e2",
    "a cake with three candles": "e1 cake, e2 candle, e2 #3, e1 with e2",
    "a cat with a long tail": "e1 cat, e2 tail, e2 ~long, e2 of e1",
    "the horse has a white mane": "e1 horse, e2 mane, e2 white, e2 of e1",
    "a robot has two arms and a sword": "e1 robot, e2 arm, e2 #2, e3 sword, e2 of e1, e1 with e3",
    "a woman with a basket of apples": "e1 woman, e2 basket, e3 apple, e1 with e2, e2 of e3",
    "a table has a vase on it": "e1 table, e2 vase, e1 with e2, e2 on e1",
    "the bear has an umbrella and the fox has a book": "e1 bear, e2 umbrella, e3 fox, e4 book, e1 with e2, e3 with e4",
    "a man with a beard holding a book": "e1 man, e2 beard, e3 book, e2 of e1, e1 holding e3",
    "a girl with a kite next to a boy with a ball": (
        "e1 girl, e2 kite, e3 boy, e4 ball, e1 with e2, e3 with e4, e2 next to e3"
    ),
    "a child has a puppy with a bone": "e1 child, e2 puppy, e3 bone, e1 with e2, e2 with e3",
    "a pirate with a parrot on his shoulder": "e1 pirate, e2 parrot, e3 shoulder, e1 with e2, e2 on e3, e3 of e1",
    # pronouns
    "a girl and her hat": "e1 girl, e2 hat, e2 of e1",
    "a woman in her car": "e1 woman, e2 car, e1 in e2, e2 of e1",
    "a man walking his dog": "e1 man, e2 dog, e1 walking e2, e2 of e1",
    "a blue car. Its wheels are yellow.": "e1 car, e1 blue, e2 wheel, e2 yellow, e2 of e1",
    "a blue car, its wheels are yellow": "e1 car, e1 blue, e2 wheel, e2 yellow, e2 of e1",
    "a table with a lamp on it": "e1 table, e2 lamp, e1 with e2, e2 on e1",
    "a box with a cat in it": "e1 box, e2 cat, e1 with e2, e2 in e1",
    "a table. There is a lamp on it.": "e1 table, e2 lamp, e2 on e1",
    "a car with a dog to its left": "e1 car, e2 dog, e1 with e2, e2 left of e1",
    "a chair. To its left is a lamp.": "e1 chair, e2 lamp, e2 left of e1",
    "a chair, and to its right a lamp": "e1 chair, e2 lamp, e2 right of e1",
    "a chair, with a lamp to the right of it": "e1 chair, e2 lamp, e1 with e2, e2 right of e1",
    "two trees and a bench under them": "e1 tree, e1 #2, e2 bench, e2 under e1",
    "a cat and a dog. A ball is between them.": "e1 cat, e2 dog, e3 ball, e3 between e1 e2",
    "a dog next to a cat. It wears a hat.": "e1 dog, e2 cat, e3 hat, e1 next to e2, e1 wears e3",
    "a dog is sleeping. It is brown.": "e1 dog, e1 ~sleeping, e1 brown",
    "a boy and a girl. They are holding balloons.": "e1 boy, e2 girl, e3 balloon, e1 holding e3, e2 holding e3",
    "a boy and a girl. He is holding a ball.": "e1 boy, e2 girl, e3 ball, e1 holding e3",
    "a boy and a girl. She is holding a ball.": "e1 boy, e2 girl, e3 ball, e2 holding e3",
    "a man stands near a horse. He wears a hat.": "e1 man, e2 horse, e3 hat, e1 ~stands, e1 near e2, e1 wears e3",
    "a woman with a dog. It is black.": "e1 woman, e2 dog, e1 with e2, e2 black",
    "three cats. They are black.": "e1 cat, e1 #3, e1 black",
    "a king sits on a throne. A dog lies beside him.": (
        "e1 king, e2 throne, e3 dog, e1 ~sits, e1 on e2, e3 ~lies, e3 next to e1"
    ),
    "a cat and a dog. The former is black.": "e1 cat, e2 dog, e1 black",
    "a cat and a dog. The latter is black.": "e1 cat, e2 dog, e2 black",
    "a cat and a dog, both are black": "e1 cat, e2 dog, e1 black, e2 black",
    "a cat and a dog, both wearing hats": "e1 cat, e2 dog, e3 hat, e1 wearing e3, e2 wearing e3",
    "a mug. A spoon is inside it.": "e1 mug, e2 spoon, e2 inside e1",
    "a house and a tree behind it": "e1 house, e2 tree, e2 behind e1",
    "a queen holding her crown": "e1 queen, e2 crown, e1 holding e2, e2 of e1",
    "two girls and their dogs": "e1 girl, e1 #2, e2 dog, e2 of e1",
    "a fox. Above it is a red bird.": "e1 fox, e2 bird, e2 red, e2 above e1",
    "an elephant holding a ball in its trunk": "e1 elephant, e2 ball, e3 trunk, e1 holding e2, e2 in e3, e3 of e1",
    "a bird on a branch. Below it is a cat.": "e1 bird, e2 branch, e3 cat, e1 on e2, e3 below e1",
    "three children, each holding a flag": "e1 child, e1 #3, e2 flag, e1 holding e2",
    "two dogs, each with a bone": "e1 dog, e1 #2, e2 bone, e1 with e2",
    "each of the two dogs has a bone": "e1 dog, e1 #2, e2 bone, e1 with e2",
}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_reads(prompt: str) -> None:
    assert_reads(Grammar().decompose(prompt), PROMPTS[prompt], ones=False)
