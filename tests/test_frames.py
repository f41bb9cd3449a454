"""What of a prompt is about the picture: frames, styles, camera, notation of other tools, words that are no things."""

import pytest
from reading import assert_reads

from scope.parsing.explaining import FRAME, NOTATION, explained
from scope.parsing.grammar import Grammar
from scope.parsing.notation import without_notation
from scope.specification import Type

# One line a commitment, as test_grammar.py writes them.
FRAMES: dict[str, str] = {
    "The image shows two red apples on a table.": "e1 apple, e1 #2, e1 red, e2 table, e1 on e2",
    "This photo captures a dog on a beach.": "e1 dog, @ beach",
    "The scene depicts an old castle.": "e1 castle, e1 ~old",
    "The black and white image features a horse.": "e1 horse, style black and white",
    "The image is of a red car.": "e1 car, e1 red",
    "This is a picture of a red car.": "e1 car, e1 red",
    "I want a picture of a cat on a chair": "e1 cat, e2 chair, e1 on e2",
    "I'd like to see a red balloon": "e1 balloon, e1 red",
    "can you make me a picture of a dog": "e1 dog",
    "could you please draw a red apple": "e1 apple, e1 red",
    "draw me a sheep, please": "e1 sheep",
    "Please generate an image of a horse next to a tree.": "e1 horse, e2 tree, e1 next to e2",
    "imagine: a blue dog": "e1 dog, e1 blue",
    "Let's see a photo of an owl": "e1 owl",
    "an image that shows a cat": "e1 cat",
    "a picture containing two trees": "e1 tree, e1 #2",
    "a photo with a dog": "e1 dog",
    "a beautiful picture of a duck": "e1 duck",
    "A cat. In this image we can also see a dog.": "e1 cat, e2 dog",
    "a picture frame and a camera": "e1 picture frame, e2 camera",
    "a poster on a wall": "e1 poster, e2 wall, e1 on e2",
}
STYLES: dict[str, str] = {
    "The image shows a cat. The style of the image is photorealism.": "e1 cat, style photorealism",
    "a cat. The art style is pixel art.": "e1 cat, style pixel art",
    "a cat, style: watercolor": "e1 cat, style watercolor",
    "a cat. The image is rendered in a cartoon style.": "e1 cat, style cartoon",
    "The image has a vintage style. It shows a car.": "e1 car, style vintage",
    "a fox in Studio Ghibli style": "e1 fox, style studio ghibli",
    "an anime-style cat": "e1 cat, style anime",
    "pixel art cat": "e1 cat, style pixel art",
    "watercolor fox": "e1 fox, style watercolor",
    "a cat in oil": "e1 cat, style oil",
    "a cat drawn in crayon": "e1 cat, style crayon",
    "a 3d-rendered apple": "e1 apple, style 3-D",
    "a cat by Picasso": "e1 cat, style picasso",
    "a bridge, painted by Claude Monet": "e1 bridge, style claude monet",
    "a robot inspired by Moebius": "e1 robot, style moebius",
    "a grainy photo of a bird": "e1 bird, style grainy",
    "a victorian-style house": "e1 house, e1 ~victorian-style",
    "a cartoon character": "e1 cartoon character",
}
CAMERA: dict[str, str] = {
    "close-up of a cat": "e1 cat, camera close-up",
    "an extreme close up of an eye": "e1 eye, camera extreme close up",
    "aerial view of a farm": "e1 farm, camera aerial view",
    "a bird's-eye view of a boat": "e1 boat, camera bird's-eye view",
    "top-down view of a table": "e1 table, camera top-down view",
    "a low-angle shot of a tower": "e1 tower, camera low-angle shot",
    "a macro photograph of a ladybug": "e1 ladybug, camera macro photograph",
    "a car seen from above": "e1 car, camera seen from above",
    "a portrait of a dog, 85mm lens, f/1.8": "e1 dog, style portrait, camera 85mm lens, camera f/1.8",
    "a dog shot on 35mm film": "e1 dog, camera 35mm film",
    "a flower with shallow depth of field": "e1 flower, camera shallow depth of field",
    "a cat with bokeh": "e1 cat, camera bokeh",
    "a camera on a tripod": "e1 camera, e2 tripod, e1 on e2",
    "a lamp shining from above": "e1 lamp, e1 ~shining, ? above",
}
NOTATION_READ: dict[str, str] = {
    "(red car:1.3) on a beach": "e1 car, e1 red, @ beach",
    "a (red:1.2) car": "e1 car, e1 red",
    "((dog)) and [cat] and {bird}": "e1 dog, e2 cat, e3 bird",
    "a cat --ar 16:9 --v 6": "e1 cat",
    "a dog --no people, cars": "e1 dog, no person, no car",
    "a cat. Negative prompt: dog, blurry": "e1 cat, no dog, no blurry",
    "<lora:anime_style:0.8> a photo of a cat": "e1 cat",
    "masterpiece, best quality, 1girl, red hair": "e1 girl, e1 #1, e2 hair, e2 red",
    "2boys, hat": "e1 boy, e1 #2, e2 hat",
    "a cat, 4k, 8k, trending on artstation": "e1 cat",
    "a cat::2 a dog::1": "e1 cat, e2 dog",
    "a castle BREAK a dragon": "e1 castle, e2 dragon",
    "/imagine prompt: a blue dog": "e1 dog, e1 blue",
    "seed: 42, a cat, steps: 20": "e1 cat",
    'a sign that says "[OPEN] --ar 1:1"': "e1 sign, e1 '[OPEN] --ar 1:1'",
}
UNDRAWN: dict[str, str] = {
    "a cat with a sense of wonder": "e1 cat, ? sense of wonder",
    "a car with a metallic effect": "e1 car, ? metallic effect",
    "a painting with hints of blue": "e1 painting, ? hints of blue",
    "a dog. The overall atmosphere is calm.": "e1 dog, ? overall atmosphere is calm",
    "a land of opportunities": "e1 land, ? opportunities",
    "a bird in flight": "e1 bird, ? flight",
    "a composition of circles and squares": "e1 circle, e2 square",
    "a shadow and a flame": "e1 shadow, e2 flame",
    "a rainbow over a wave": "e1 rainbow, e2 wave, e1 above e2",
    "a palette and a picture": "e1 palette, e2 picture",
    "a cat on a white background": "e1 cat, @ white background",
    "a red apple against a plain black backdrop": "e1 apple, e1 red, @ plain black backdrop",
    "a cat. The background is white.": "e1 cat, @ white background",
    "a tree at golden hour": "e1 tree, @ golden hour",
    "a cat in the top left corner of the image": "e1 cat, @ top left e1",
    "on the right side of the picture is a tree": "e1 tree, @ right e1",
    "A dog stands in the center of the frame": "e1 dog, e1 ~stands, @ center e1",
}
SHOWN: dict[str, str] = {
    "🍎 🐶": "e1 apple, e2 dog",
    "🐶🐱": "e1 dog, e2 cat",
    "two 🍎 on a 🪑": "e1 apple, e1 #2, e2 chair, e1 on e2",
    "❤️": "e1 heart",
    "a red 👂🏽": "e1 ear, e1 red",
    "a dog ☣": "e1 dog, ? ☣",
}
READ = FRAMES | STYLES | CAMERA | NOTATION_READ | UNDRAWN | SHOWN


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar()


@pytest.mark.parametrize("prompt", READ)
def test_what_is_about_the_picture_is_no_thing_in_it(grammar: Grammar, prompt: str) -> None:
    assert_reads(grammar.decompose(prompt), READ[prompt])


@pytest.mark.parametrize("prompt", READ)
def test_notation_is_blanked_in_its_place(prompt: str) -> None:
    plain = without_notation(prompt)
    assert len(plain.text) == len(prompt)
    assert all(plain.text[span.start : span.end].strip(" ,") == "" for span in plain.dropped)
    assert without_notation(plain.text) == (plain.text, ())


def test_every_word_of_a_prompt_is_explained(grammar: Grammar) -> None:
    spec = grammar.decompose("Please draw two (red apples:1.2), close-up, 8k")
    assert explained(spec) == [
        ("Please draw", FRAME),
        ("two", "c1: there are exactly 2 apples"),
        ("red", "c2: the apples are red"),
        ("apples", "e1: there are apples"),
        (":1.2", NOTATION),
        ("close-up", "c3: the camera is close-up"),
        ("8k", NOTATION),
    ]


def test_style_and_camera_speak_of_no_thing(grammar: Grammar) -> None:
    spec = grammar.decompose("a grainy close-up photo of a cat by Picasso, bokeh")
    assert [(c.type, c.targets) for c in spec.of(Type.STYLE, Type.CAMERA)] == [
        (Type.STYLE, ()),
        (Type.CAMERA, ()),
        (Type.STYLE, ()),
        (Type.CAMERA, ()),
    ]
