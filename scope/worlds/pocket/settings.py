"""Settings of two parts, a place and its light or weather, which a prompt speaks of apart: "in a city at night"."""

from collections.abc import Iterable

from scope.worlds.pocket.catalogue import LIGHTS, SETTINGS

#: Place -> what is seen there besides: who asks for a sea is content with one that is seen from the land.
_SEEN_FROM = {"seaside": "sea"}


def parts(setting: str) -> tuple[str, ...]:
    """Return what a setting shows: ("city", "night") of "city by night", else itself."""
    for ending, (light, _) in LIGHTS.items():
        if setting.endswith(ending):
            return setting.removesuffix(ending), light
    return (setting,)


def ways(setting: str) -> tuple[frozenset[str], ...]:
    """Return what may be asked for together and gets this setting: its parts, or what is seen from its place."""
    place, *light = parts(setting)
    return tuple(frozenset((seen, *light)) for seen in (place, _SEEN_FROM.get(place)) if seen)


def shows(setting: str, wanted: str) -> bool:
    """Return whether a picture of a setting is one of what is wanted, a setting or a part of one."""
    return wanted == setting or any(wanted in way for way in ways(setting))


def together(wanted: Iterable[str]) -> str | None:
    """Return the first setting that shows all that is wanted, and nothing else; None: the world has none."""
    asked = frozenset(part for each in wanted for part in parts(each))
    return next((setting for setting in SETTINGS if asked in ways(setting)), None)
