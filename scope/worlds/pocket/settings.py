"""Settings of two parts, a place and its light or weather, which a prompt speaks of apart: "in a city at night"."""

from collections.abc import Iterable

from scope.worlds.pocket.catalogue import SETTINGS

#: How the name of a setting of two parts ends -> its second part.
_LIGHTS = {" by night": "night", " at sunset": "sunset", " at sunrise": "sunrise", " in the rain": "rain"}

#: Place -> what is seen there besides: who asks for a sea is content with one that is seen from the land.
_SEEN_FROM = {"seaside": "sea"}


def parts(setting: str) -> tuple[str, ...]:
    """Return what a setting shows: ("city", "night") of "city by night", else itself."""
    for ending, light in _LIGHTS.items():
        if setting.endswith(ending):
            return setting.removesuffix(ending), light
    return (setting,)


def shows(setting: str, wanted: str) -> bool:
    """Return whether a picture of a setting is one of what is wanted, a setting or a part of one."""
    place = parts(setting)[0]
    return wanted == setting or wanted in parts(setting) or wanted == _SEEN_FROM.get(place)


def together(wanted: Iterable[str]) -> str | None:
    """Return the setting that shows all that is wanted, and nothing else; None: the world has none."""
    asked = frozenset(part for each in wanted for part in parts(each))
    seen = next((asked - {sea} | {place} for place, sea in _SEEN_FROM.items() if sea in asked), asked)
    known = {frozenset(parts(setting)): setting for setting in SETTINGS}
    return known.get(asked) or known.get(seen)
