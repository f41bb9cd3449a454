"""Settings of two parts, a place and the night, which a prompt speaks of apart: "in a city at night"."""

from collections.abc import Iterable

from scope.worlds.pocket.catalogue import SETTINGS

_NIGHT, _BY_NIGHT = "night", " by night"


def parts(setting: str) -> tuple[str, ...]:
    """Return what a setting shows: ("city", "night") of "city by night", else itself."""
    place = setting.removesuffix(_BY_NIGHT)
    return (place,) if place == setting else (place, _NIGHT)


def shows(setting: str, wanted: str) -> bool:
    """Return whether a picture of a setting is one of what is wanted, a setting or a part of one."""
    return wanted == setting or wanted in parts(setting)


def together(wanted: Iterable[str]) -> str | None:
    """Return the setting that shows all that is wanted, and nothing else; None: the world has none."""
    asked = frozenset(part for each in wanted for part in parts(each))
    return next((setting for setting in SETTINGS if frozenset(parts(setting)) == asked), None)
