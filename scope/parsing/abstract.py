"""Words that are no things: "contrast", "atmosphere", "opportunities", "the image". None of them is ever an entity.

The list is WordNet's (scope/data/world/abstract.csv); beside it stand words of pictures that WordNet has among things,
and without it those that are drawn all the same. Nouns of the world are always things.
"""

from functools import cache

from scope.data.tables import table_of
from scope.parsing.names import compounds, nouns

#: Words of and about pictures.
PICTURE_WORDS = frozenset(
    "image picture photo photograph pic snapshot scene view shot visual visuals style artwork artstyle aesthetic "
    "rendering render close-up closeup composition background backdrop foreground midground middleground setting "
    "scenery ambiance ambience atmosphere mood tone vibe feel lighting contrast effect hue tint shade texture "
    "quality resolution detail detailing palette scheme depiction portrayal viewer perspective angle focus hint "
    "touch glimpse splash burst play glow sheen gleam highlight silhouette accent element theme motif design "
    "layout arrangement blend mixture mix combination juxtaposition interplay array variety imagery illustration "
    "medium vector cinematography photography opportunity environment surroundings presence appearance look "
    "reality realism finish".split()
)
#: ... that are also things, where something else than the picture is meant: a picture on a wall.
_ALSO_THINGS = frozenset({"picture", "photo", "photograph", "illustration", "design", "silhouette", "shade", "palette"})
#: What WordNet has among attributes, states, quantities and the like, and a picture shows.
_SHOWN = frozenset(
    "shadow flame droplet drop tapestry vanity pillar tentacle constellation scoop patchwork spotlight halo "
    "glitter template model prototype stain scar tumor thorn peak arena bait quiver wreck mint arrangement "
    "festival ponytail beard freckle wrinkle stripe ray beam galaxy nebula spray puddle blossom bloom rash "
    "bruise wound crack dent bubble sphere cube pyramid cone cylinder circle square triangle rectangle hexagon "
    "heart spiral grid line dot hole bouquet bunch cluster slice mountain mouthful pinch ounce smoke steam rust "
    "mess debris".split()
)

#: What WordNet has among phenomena, acts and places, and no picture shows.
_UNSEEN = frozenset(
    "energy motion movement action success failure future past time nature flight music weather luck help work power "
    "life love growth progress adventure journey magic air sound heat".split()
)
#: Things that are several or have an article; without, they are none.
_MASSES = frozenset("light space".split())

#: What WordNet has among artifacts, acts and places, and no picture shows by itself: where things are, when, what for.
_UNSHOWN = frozenset(
    "side edge center centre middle midst end area space vicinity place position direction location part "
    "stretch expanse repose use purpose service interest activity action motion movement formation serve "
    "journey adventure endeavor endeavour routine project process comparison conversation engagement "
    "concentration awareness determination anticipation gaze breeze time afternoon morning evening day hour year life "
    "technology fusion aerobatics tale pause feat community "
    "creator habitat contact fraction something reminder cyberspace gravity".split()
)


@cache
def _abstract() -> frozenset[str]:
    return frozenset(row["noun"] for row in table_of("abstract.csv"))


def is_abstract(noun: str, *, definite: bool = False, counted: bool = True) -> bool:
    """Return whether a lower-case singular noun, maybe of several words, is no thing that a picture could show.

    `definite`: whether it is "the picture" rather than "a picture", which may hang on a wall. `counted`: whether it is
    "a light" or "lights" rather than "light".
    """
    if noun in compounds():  # "traffic light"
        return False
    last = noun.rpartition(" ")[2]
    if last in _UNSEEN or (last in _MASSES and not counted):
        return True
    if last in PICTURE_WORDS:
        return last not in _ALSO_THINGS or definite
    return last not in _SHOWN and not _is_drawn(noun, last) and (last in _UNSHOWN or last in _abstract())


def _is_drawn(noun: str, last: str) -> bool:
    return any(word in names() for word in (noun, last) for names in (compounds, nouns))
