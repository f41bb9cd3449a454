"""Of whom a word speaks: commas, chains of prepositions, joined subjects, verbs, qualities said after their noun."""

import pytest
from reading import assert_reads

from scope.parsing.grammar import Grammar

#: As test_grammar.py writes them.
PROMPTS: dict[str, str] = {
    # comma between adjectives
    "three tiny, brown apples with a metallic texture": "e1 apple, e1 #3, e1 ~tiny, e1 brown, e1 ~metallic",
    "a futuristic robot stands in a sleek, modern laboratory": (
        "e1 robot, e2 laboratory, e1 ~futuristic, e1 ~stands, e1 in e2, e2 ~sleek, e2 ~modern"
    ),
    "a big, red, shiny apple": "e1 apple, e1 ~big, e1 red, e1 ~shiny",
    "a tall, thin man": "e1 man, e1 ~tall, e1 ~thin",
    "two small, green, spherical vases": "e1 vase, e1 #2, e1 ~small, e1 green, e1 ~spherical",
    "A huge, fluffy, white dog sits next to a tiny, gray cat.": (
        "e1 dog, e2 cat, e1 ~huge, e1 ~fluffy, e1 white, e1 ~sits, e1 next to e2, e2 ~tiny, e2 gray"
    ),
    "four large, blue, wooden chairs": "e1 chair, e1 #4, e1 ~large, e1 blue, e1 ~wooden",
    "a smooth, round, yellow ball on a long, brown bench": (
        "e1 ball, e2 bench, e1 ~smooth, e1 ~round, e1 yellow, e1 on e2, e2 ~long, e2 brown"
    ),
    "a warm, cozy cabin": "e1 cabin, e1 ~warm, e1 ~cozy",
    "a clean, minimalist desk with a lamp": "e1 desk, e2 lamp, e1 ~clean, e1 ~minimalist, e1 with e2",
    "an old, rusty, abandoned truck beside a barn": (
        "e1 truck, e2 barn, e1 ~old, e1 ~rusty, e1 ~abandoned, e1 next to e2"
    ),
    "a cat, a dog and a bird": "e1 cat, e2 dog, e3 bird",
    "a red apple, a green pear, and two yellow bananas": (
        "e1 apple, e2 pear, e3 banana, e1 red, e2 green, e3 #2, e3 yellow"
    ),
    "a purple rose, 3-D render": "e1 rose, e1 purple, style 3-D",
    "a white swan, pixel art": "e1 swan, e1 white, style pixel art",
    "apples, red and shiny, on a table": "e1 apple, e2 table, e1 red, e1 ~shiny, e1 on e2",
    "the car is blue, red apples are on a table": "e1 car, e2 apple, e3 table, e1 blue, e2 red, e2 on e3",
    "red apples, blue cups, white plates": "e1 apple, e2 cup, e3 plate, e1 red, e2 blue, e3 white",
    "a soft, velvety, red couch in a spacious, bright room": (
        "e1 couch, e1 ~soft, e1 ~velvety, e1 red, @ room, @ spacious, @ bright"
    ),
    "a wise, old owl": "e1 owl, e1 ~wise, e1 ~old",
    "a robot, shiny and metallic, holding a flower": "e1 robot, e2 flower, e1 ~shiny, e1 ~metallic, e1 holding e2",
    "a young woman with long, curly, red hair": "e1 woman, e2 hair, e1 ~young, e2 of e1, e2 ~long, e2 ~curly, e2 red",
    "a crisp, clear poster": "e1 poster, e1 ~crisp, e1 ~clear",
    "a vintage, weathered suitcase": "e1 suitcase, e1 ~vintage, e1 ~weathered",
    # with a ... texture
    "an apple with a fluffy texture": "e1 apple, e1 ~fluffy",
    "two cars with a metallic finish": "e1 car, e1 #2, e1 ~metallic",
    "a chair with a glossy surface and a matte table": "e1 chair, e2 table, e1 ~glossy, e2 ~matte",
    "a ball in white color": "e1 ball, e1 white",
    "a cup in the color red": "e1 cup, e1 red",
    "a red-colored bus": "e1 bus, e1 red",
    "a chair made of wood": "e1 chair, e1 ~wood",
    "a statue made out of ice": "e1 statue, e1 ~ice",
    "a house made from gingerbread on a table": "e1 house, e2 table, e1 ~gingerbread, e1 on e2",
    "a spoon made of polished silver": "e1 spoon, e1 ~polished silver",
    "a car made entirely of chocolate": "e1 car, e1 ~chocolate",
    "a bench covered in snow": "e1 bench, e1 ~covered in snow",
    "a cake covered with chocolate": "e1 cake, e1 ~covered with chocolate",
    "a rock covered in green moss next to a tree": "e1 rock, e2 tree, e1 ~covered in green moss, e1 next to e2",
    "The pig has a metallic texture, while the sheep has a glass texture.": "e1 pig, e2 sheep, e1 ~metallic, e2 ~glass",
    "The apple has a rough texture.": "e1 apple, e1 ~rough",
    "a triangle-shaped clock": "e1 clock, e1 ~triangle-shaped",
    "a ball with a furry texture beside a box with a wooden texture": (
        "e1 ball, e2 box, e1 ~furry, e1 next to e2, e2 ~wooden"
    ),
    "a heart-shaped pillow with a fluffy texture": "e1 pillow, e1 ~heart-shaped, e1 ~fluffy",
    "a ring shaped like a heart": "e1 ring, e1 ~shaped like a heart",
    "a cup with a blue color": "e1 cup, e1 blue",
    "a cookie in the shape of a star": "e1 cookie, e1 ~in the shape of a star",
    "a table with a smooth, wooden texture": "e1 table, e1 ~smooth, e1 ~wooden",
    "a blanket with a plaid pattern": "e1 blanket, e1 ~plaid",
    "a dress with a floral pattern and a hat": "e1 dress, e2 hat, e1 ~floral",
    "a cat of black color": "e1 cat, e1 black",
    "an armchair with red color and leather texture": "e1 armchair, e1 red, e1 ~leather",
    "The texture of the table is wooden.": "e1 table, e1 ~wooden",
    "The color of the car is red.": "e1 car, e1 red",
    "The apples are purple in color.": "e1 apple, e1 purple",
    "a building constructed of brick": "e1 building, e1 ~brick",
    "a plate made of clear glass with an orange": "e1 plate, e2 orange, e1 ~clear glass, e1 with e2",
    # hyphens and measures
    "a 10-foot-tall statue": "e1 statue, e1 ~10-foot-tall",
    "a 5-year-old boy": "e1 boy, e1 ~5-year-old",
    "a black-and-white cat": "e1 cat, e1 black, e1 white",
    "a red-and-blue flag": "e1 flag, e1 red, e1 blue",
    "a six-year-old girl with a 3-meter-long snake": (
        "e1 girl, e2 snake, e1 ~six-year-old, e1 with e2, e2 ~3-meter-long"
    ),
    "a two-story house": "e1 house, e1 ~two-story",
    "a three-legged stool": "e1 stool, e1 ~three-legged",
    "a 3-legged stool": "e1 stool, e1 ~3-legged",
    "a half-eaten sandwich": "e1 sandwich, e1 ~half-eaten",
    "a four-door, silver car": "e1 car, e1 ~four-door, e1 ~silver",
    "a blue-eyed cat": "e1 cat, e1 ~blue-eyed",
    "a ten-foot pole": "e1 pole, e1 ~ten-foot",
    # chains
    "three elephants on top of seven yellow violins in front of five green bears": (
        "e1 elephant, e2 violin, e3 bear, e1 #3, e1 on top of e2, e2 #7, e2 yellow, e2 in front of e3, e3 #5, e3 green"
    ),
    "seven blue violins on top of a blue zebra playing with five metal horses": (
        "e1 violin, e2 zebra, e3 horse, e1 #7, e1 blue, e1 on top of e2, e2 blue, e2 playing with e3, e3 #5, e3 ~metal"
    ),
    "a cat on a mat under a table": "e1 cat, e2 mat, e3 table, e1 on e2, e2 under e3",
    "two dogs behind a red car to the left of three trees": (
        "e1 dog, e2 car, e3 tree, e1 #2, e1 behind e2, e2 red, e2 left of e3, e3 #3"
    ),
    "a bird above a lamp above a couch": "e1 bird, e2 lamp, e3 couch, e1 above e2, e2 above e3",
    "six donuts next to four raccoons beneath two suitcases": (
        "e1 donut, e2 raccoon, e3 suitcase, e1 #6, e1 next to e2, e2 #4, e2 below e3, e3 #2"
    ),
    "five spotted kangaroos under a plastic truck in front of four robots": (
        "e1 kangaroo, e2 truck, e3 robot, e1 #5, e1 ~spotted, e1 under e2, e2 ~plastic, e2 in front of e3, e3 #4"
    ),
    "a frog in a bucket on a stool near a window": (
        "e1 frog, e2 bucket, e3 stool, e4 window, e1 in e2, e2 on e3, e3 near e4"
    ),
    "three wooden bagels to the right of six stone cookies": (
        "e1 bagel, e2 cookie, e1 #3, e1 ~wooden, e1 right of e2, e2 #6, e2 ~stone"
    ),
    "a striped mushroom on top of two croissants on the left of a giraffe": (
        "e1 mushroom, e2 croissant, e3 giraffe, e1 ~striped, e1 on top of e2, e2 #2, e2 left of e3"
    ),
    "two green lions chasing three monkeys in front of a flower": (
        "e1 lion, e2 monkey, e3 flower, e1 #2, e1 green, e1 chasing e2, e2 #3, e2 in front of e3"
    ),
    "a vase on a table and a cat under the table": "e1 vase, e2 table, e3 cat, e1 on e2, e3 under e2",
    "a cat on a table and a dog next to a chair": "e1 cat, e2 table, e3 dog, e4 chair, e1 on e2, e3 next to e4",
    "four sparkling cows behind a metal croissant": (
        "e1 cow, e2 croissant, e1 #4, e1 ~sparkling, e1 behind e2, e2 ~metal"
    ),
    "seven glass penguins chasing two purple turtles": (
        "e1 penguin, e2 turtle, e1 #7, e1 ~glass, e1 chasing e2, e2 #2, e2 purple"
    ),
    "a stone sheep playing with six rabbits under three umbrellas": (
        "e1 sheep, e2 rabbit, e3 umbrella, e1 ~stone, e1 playing with e2, e2 #6, e2 under e3, e3 #3"
    ),
    # coordination
    "a dog and a chair above a car and below a lamp": (
        "e1 dog, e2 chair, e3 car, e4 lamp, e1 above e3, e2 above e3, e1 below e4, e2 below e4"
    ),
    "a dog and chair above a car": "e1 dog, e2 chair, e3 car, e1 above e3, e2 above e3",
    "a car and a dog between a cat and a bus": "e1 car, e2 dog, e3 cat, e4 bus, e1 between e3 e4, e2 between e3 e4",
    "a book, a cup and a pen on a desk": "e1 book, e2 cup, e3 pen, e4 desk, e1 on e4, e2 on e4, e3 on e4",
    "a cat below and to the left of a chair": "e1 cat, e2 chair, e1 below e2, e1 left of e2",
    "a ball above and to the right of a box": "e1 ball, e2 box, e1 above e2, e1 right of e2",
    "a lamp behind and above a couch": "e1 lamp, e2 couch, e1 behind e2, e1 above e2",
    "a castle surrounded by trees and flowers": (
        "e1 castle, e2 tree, e3 flower, e1 surrounded by e2, e1 surrounded by e3"
    ),
    "a man surrounded by a cat and two dogs": "e1 man, e2 cat, e3 dog, e1 surrounded by e2, e1 surrounded by e3, e3 #2",
    "a dog and a cat playing": "e1 dog, e2 cat, e1 ~playing, e2 ~playing",
    "a dog and a cat are playing with a ball": ("e1 dog, e2 cat, e3 ball, e1 playing with e3, e2 playing with e3"),
    "a man and a woman holding an umbrella": "e1 man, e2 woman, e3 umbrella, e1 holding e3, e2 holding e3",
    "a girl holding a cup and a book": "e1 girl, e2 cup, e3 book, e1 holding e2, e1 holding e3",
    "a cat on a sofa and under a lamp": "e1 cat, e2 couch, e3 lamp, e1 on e2, e1 under e3",
    "a cat on a mat, next to a dog": "e1 cat, e2 mat, e3 dog, e1 on e2, e1 next to e3",
    "a zebra and a horse are behind a fence and in front of a barn": (
        "e1 zebra, e2 horse, e3 fence, e4 barn, e1 behind e3, e2 behind e3, e1 in front of e4, e2 in front of e4"
    ),
    "a boat and a car, both red": "e1 boat, e2 car, e1 red, e2 red",
    "a man sitting and reading a book": "e1 man, e2 book, e1 ~sitting, e1 reading e2",
    "a woman sitting on a bench and reading a newspaper": (
        "e1 woman, e2 bench, e3 newspaper, e1 ~sitting, e1 on e2, e1 reading e3"
    ),
    "the cat and the dog are black": "e1 cat, e2 dog, e1 black, e2 black",
    "a blue zebra and seven spotted chairs": "e1 zebra, e2 chair, e1 blue, e2 #7, e2 ~spotted",
    # verbs
    "four pigs jumping over two flamingos": "e1 pig, e2 flamingo, e1 #4, e1 jumping over e2, e2 #2",
    "a dog jumping over a fence": "e1 dog, e2 fence, e1 jumping over e2",
    "three kangaroos jumping over seven wooden trumpets": (
        "e1 kangaroo, e2 trumpet, e1 #3, e1 jumping over e2, e2 #7, e2 ~wooden"
    ),
    "a boy gives a girl an apple": "e1 boy, e2 girl, e3 apple, e1 gives to e2, e1 gives e3",
    "a man hands a woman a red cup": "e1 man, e2 woman, e3 cup, e1 hands to e2, e1 hands e3, e3 red",
    "a boy gives an apple to a girl": "e1 boy, e2 apple, e3 girl, e1 gives to e3, e1 gives e2",
    "a woman feeding a horse a carrot": "e1 woman, e2 horse, e3 carrot, e1 feeding to e2, e1 feeding e3",
    "a train moves along a river": "e1 train, e1 ~moves, @ river",
    "A train moves along an ocean beach, flanked by trees.": "e1 train, e2 tree, e1 ~moves, @ beach, e1 flanked by e2",
    "sushi floats above a plate": "e1 sushi, e2 plate, e1 ~floats, e1 above e2",
    "a candle burns on a table": "e1 candle, e2 table, e1 ~burns, e1 on e2",
    "a metal croissant next to a cup": "e1 croissant, e2 cup, e1 ~metal, e1 next to e2",
    "a dog runs after a cat": "e1 dog, e2 cat, e1 runs after e2",
    "a squirrel climbs a tree": "e1 squirrel, e2 tree, e1 climbs e2",
    "two monkeys ride a bicycle": "e1 monkey, e2 bicycle, e1 #2, e1 ride e2",
    "a cat sleeps on a couch": "e1 cat, e2 couch, e1 ~sleeps, e1 on e2",
    "the boat sails under a bridge": "e1 boat, e2 bridge, e1 ~sails, e1 under e2",
    "a chef cooks pasta": "e1 chef, e2 pasta, e1 cooks e2",
    "a balloon floats over a house": "e1 balloon, e2 house, e1 ~floats, e1 above e2",
    "a fox jumps over a log": "e1 fox, e2 log, e1 jumps over e2",
    "water pouring from a jug into a glass": "e1 water, e2 jug, e3 glass, e1 pouring from e2, e1 in e3",
    "a parrot perches on a branch": "e1 parrot, e2 branch, e1 ~perches, e1 on e2",
    "an astronaut rides a horse": "e1 astronaut, e2 horse, e1 rides e2",
    "an astronaut riding a horse on the moon": "e1 astronaut, e2 horse, e3 moon, e1 riding e2, e2 on e3",
    "a bear plays the guitar": "e1 bear, e2 guitar, e1 plays e2",
    "a robot paints a picture of a cat": "e1 robot, e2 picture, e3 cat, e1 paints e2, e2 of e3",
    "a duck swims in a pond": "e1 duck, e1 ~swims, @ pond",
    "a plane flies above the clouds": "e1 airplane, e2 cloud, e1 ~flies, e1 above e2",
    "a monkey eats a banana while a parrot watches": "e1 monkey, e2 banana, e3 parrot, e1 eats e2, e3 ~watches",
    "a leaf falls from a tree": "e1 leaf, e2 tree, e1 falls from e2",
    "a kitten playing with yarn": "e1 kitten, e2 yarn, e1 playing with e2",
    "a snake coils around a branch": "e1 snake, e2 branch, e1 ~coils, e1 around e2",
    "the statue stands in front of a museum": "e1 statue, e2 museum, e1 ~stands, e1 in front of e2",
    "a rabbit hops through a garden": "e1 rabbit, e1 ~hops, @ garden",
    "a dolphin leaps over a boat": "e1 dolphin, e2 boat, e1 leaps over e2",
    "the cat on the mat sleeps": "e1 cat, e2 mat, e1 on e2, e1 ~sleeps",
    "the dog next to the red chair is barking": "e1 dog, e2 chair, e1 next to e2, e2 red, e1 ~barking",
    "a man in a suit, holding a cup": "e1 man, e2 suit, e3 cup, e1 in e2, e1 holding e3",
    "A lamp hangs above a table.": "e1 lamp, e2 table, e1 ~hangs, e1 above e2",
    "a violinist performs beside a fountain": "e1 violinist, e2 fountain, e1 ~performs, e1 next to e2",
    "a turtle chases two rabbits": "e1 turtle, e2 rabbit, e1 chases e2, e2 #2",
    "three green frogs watching a blue whale": "e1 frog, e2 blue whale, e1 #3, e1 green, e1 watching e2",
    "a purple elephant balancing on a beach ball": "e1 elephant, e2 beach ball, e1 purple, e1 ~balancing, e1 on e2",
    # fronted
    "In front of a car, a dog": "e1 car, e2 dog, e2 in front of e1",
    "On top of the table, there is a book.": "e1 table, e2 book, e2 on top of e1",
    "On the left of the table is a red lamp": "e1 table, e2 lamp, e2 left of e1, e2 red",
    "Behind the couch stands a tall lamp": "e1 couch, e2 lamp, e2 behind e1, e2 ~stands, e2 ~tall",
    "Next to a tree sits a cat.": "e1 tree, e2 cat, e2 next to e1, e2 ~sits",
    # prose
    "A small dog is sitting on a red couch next to a large window.": (
        "e1 dog, e2 couch, e3 window, e1 ~small, e1 ~sitting, e1 on e2, e2 red, e2 next to e3, e3 ~large"
    ),
    "A tree is positioned above the car": "e1 tree, e2 car, e1 above e2",
    "The image depicts a square-shaped blue table above a chair.": (
        "e1 table, e2 chair, e1 ~square-shaped, e1 blue, e1 above e2"
    ),
    "A woman stands in a bright, airy kitchen, surrounded by fresh, colorful vegetables.": (
        "e1 woman, e2 vegetable, e1 ~stands, @ kitchen, @ bright, @ airy, e1 surrounded by e2, e2 ~fresh, e2 ~colorful"
    ),
    "A red apple and a green pear are placed on a wooden table.": (
        "e1 apple, e2 pear, e3 table, e1 red, e2 green, e1 on e3, e2 on e3, e3 ~wooden"
    ),
    "A bicycle leaning against a brick wall": "e1 bicycle, e2 wall, e1 ~leaning, e1 against e2, e2 ~brick",
    "A modern, glass building stands beside an old, stone church.": (
        "e1 building, e2 church, e1 ~modern, e1 ~glass, e1 ~stands, e1 next to e2, e2 ~old, e2 ~stone"
    ),
    "a fluffy, orange cat lying on a soft, blue cushion near a fireplace": (
        "e1 cat, e2 cushion, e3 fireplace, e1 ~fluffy, e1 orange, e1 ~lying, e1 on e2, e2 ~soft, e2 blue, e2 near e3"
    ),
    "The motionless guard stands by a gate": "e1 guard, e2 gate, e1 ~motionless, e1 ~stands, e1 by e2",
    "a smiling child blowing bubbles": "e1 child, e2 bubble, e1 ~smiling, e1 blowing e2",
    'a weathered, wooden sign reading "OPEN"': "e1 sign, e1 ~weathered, e1 ~wooden, e1 'OPEN'",
    'A chalkboard in a cozy, rustic cafe that reads "Menu"': "e1 chalkboard, @ cafe, @ cozy, @ rustic, e1 'Menu'",
    "a giant, inflatable duck floating in a harbor": "e1 duck, e1 ~giant, e1 ~inflatable, e1 ~floating, @ harbor",
    "Four gears on the left of seven cars": "e1 gear, e2 car, e1 #4, e1 left of e2, e2 #7",
    "The leather jacket and fluffy dress are on the glass table": (
        "e1 jacket, e2 dress, e3 table, e1 ~leather, e2 ~fluffy, e1 on e3, e2 on e3, e3 ~glass"
    ),
    "The square painting was next to the round mirror": "e1 painting, e2 mirror, e1 ~square, e1 next to e2, e2 ~round",
    "The red hat was on top of the brown coat rack": "e1 hat, e2 coat rack, e1 red, e1 on top of e2, e2 brown",
    "a oblong eggplant and a teardrop plum": "e1 eggplant, e2 plum, e1 ~oblong, e2 ~teardrop",
    "a wooden desk with a rubber duck and a plastic cup": (
        "e1 desk, e2 duck, e3 cup, e1 ~wooden, e1 with e2, e1 with e3, e2 ~rubber, e3 ~plastic"
    ),
    "a small, metallic, green monkey chasing a huge, glass sheep": (
        "e1 monkey, e2 sheep, e1 ~small, e1 ~metallic, e1 green, e1 chasing e2, e2 ~huge, e2 ~glass"
    ),
    "two brown cows and a yellow toy on a bench": (
        "e1 cow, e2 toy, e3 bench, e1 #2, e1 brown, e2 yellow, e1 on e3, e2 on e3"
    ),
    "a giraffe eating leaves from a tree": "e1 giraffe, e2 leaf, e3 tree, e1 eating e2",
    "the sphere is small and the cube is large": "e1 sphere, e2 cube, e1 ~small, e2 ~large",
    "a shiny silver spoon, a small white plate, and a tall glass, all on a wooden tray": (
        "e1 spoon, e2 plate, e3 glass, e4 tray, e1 ~shiny, e1 ~silver, e2 ~small, e2 white, e3 ~tall, e1 on e4, "
        "e2 on e4, e3 on e4, e4 ~wooden"
    ),
}


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_word_speaks_of_whom_it_belongs_to(grammar: Grammar, prompt: str) -> None:
    assert_reads(grammar.decompose(prompt), PROMPTS[prompt])
