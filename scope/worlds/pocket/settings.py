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


def shows(setting: str, wanted: str) -> bool:
    """Return whether a picture of a setting is one of what is wanted, a setting or a part of one."""
    place, *_ = shown = parts(setting)
    return wanted in (setting, *shown, _SEEN_FROM.get(place))


def together(wanted: Iterable[str]) -> str | None:
    """Return the first setting that shows all that is wanted, and no more parts than that; None: the world has none."""
    asked = {part for each in wanted for part in parts(each)}
    fit = (setting for setting in SETTINGS if len(parts(setting)) == len(asked))
    return next((setting for setting in fit if all(shows(setting, part) for part in asked)), None)
