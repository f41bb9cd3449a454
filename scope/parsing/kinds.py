"""Kinds of nouns that decide what belongs to what: people, which of them are he or she, and parts of other things."""

_MALE = frozenset(
    "man boy king prince father dad daddy grandfather grandpa husband son brother uncle nephew gentleman guy wizard "
    "lord monk priest groom waiter actor businessman policeman fireman fisherman cowboy salaryman merman snowman "
    "santa lad mailman samurai emperor sultan duke salesman male".split()
)
_FEMALE = frozenset(
    "woman girl queen princess mother mom mum mommy grandmother grandma wife daughter sister aunt niece lady witch "
    "nun bride waitress actress businesswoman policewoman ballerina mermaid cowgirl empress duchess goddess geisha "
    "hen female maid schoolgirl".split()
)
_NEUTRAL = frozenset(
    "person child kid baby toddler teenager adult someone chef cook doctor nurse pilot pirate ninja clown elf "
    "vampire zombie astronaut artist athlete student teacher scientist soldier knight guard judge mechanic farmer "
    "singer dancer guitarist musician magician detective superhero supervillain hero builder worker thief tourist "
    "cyclist swimmer surfer player rider skier snowboarder golfer juggler wrestler boxer runner hiker climber diver "
    "sailor captain president mayor barber tailor baker butcher photographer painter writer poet reader drummer "
    "conductor driver firefighter police officer lawyer engineer programmer barista bartender skateboarder "
    "astronomer fairy angel genie troll viking warrior archer hunter shepherd villager passenger customer spectator "
    "fan friend neighbour neighbor boss guest patient couple family crowd human villain jester acrobat explorer "
    "miner lumberjack gardener monarch spy cowhand youth infant".split()
)
#: What is a part of whatever has it, and no thing beside it. Singular.
_PARTS = frozenset(
    "tail mane ear eye nose snout muzzle mouth lip beak wing leg arm hand foot paw hoof claw talon head face hair "
    "fur coat beard mustache moustache whisker eyebrow eyelash horn antler tusk trunk feather fin gill scale skin "
    "shell spot stripe neck back belly chest shoulder knee elbow finger toe thumb tongue tooth fang body limb "
    "tentacle antenna stinger hump handle wheel rim tire window door roof chimney porch balcony lid spout sail mast "
    "hull bow stern propeller cockpit button sleeve pocket zipper hem strap buckle sole heel lace brim leaf petal "
    "stem branch root bark thorn crust filling edge corner surface side top bottom front frame screen keyboard "
    "blade hilt string page cover spine dial pedal seat handlebar saddle headlight bumper hood windshield interior "
    "exterior wall floor ceiling pattern".split()
)
#: The words of a pronoun, in any of its cases -> whom it may speak of.
_HE = frozenset({"he", "him", "his"})
_SHE = frozenset({"she", "her"})
_IT = frozenset({"it", "its"})
SINGULAR = _HE | _SHE | _IT


def is_person(noun: str) -> bool:
    """Return whether a noun, in the singular, is of a human being or of what is spoken of as one."""
    return _last(noun) in _MALE | _FEMALE | _NEUTRAL


def is_part(noun: str) -> bool:
    """Return whether a noun, in the singular, is of what something has and what does nothing by itself: "beard"."""
    return _last(noun) in _PARTS


def suits(pronoun: str, noun: str) -> int:
    """Return how well a singular noun suits a pronoun: 0 not at all, more is better. "They" suits all."""
    last = _last(noun)
    if pronoun in _IT:
        return 0 if last in _MALE | _FEMALE else 1 if is_person(noun) else 2
    if pronoun in _HE | _SHE:
        own, other = (_MALE, _FEMALE) if pronoun in _HE else (_FEMALE, _MALE)
        return 0 if last in other else 3 if last in own else 2 if is_person(noun) else 1
    return 1


def _last(noun: str) -> str:
    return noun.split()[-1]
