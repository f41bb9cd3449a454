"""What a generator's file of weights says of itself: the words that it was trained on, and the frozen parts under it.

{"vocabulary": {"nouns": [...], "colors": [...], "settings": [...], "max_count": 4, "max_letters": 8},
"rests_on": {"latents": "...", "binding": "..."}}: of each the sha256 that tells it from others.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from scope.errors import WeightsError
from scope.protocols import Vocabulary
from scope.worlds.pocket.vocabulary import with_names


def metadata_of(vocabulary: Vocabulary | None, rests_on: Mapping[str, str]) -> dict[str, Any]:
    """Return what `scope.nn.weights.write` stores beside a generator's tensors."""
    said: dict[str, Any] = {"rests_on": dict(rests_on)}
    if vocabulary is not None:
        words = {name: sorted(v) if isinstance(v, frozenset) else v for name, v in asdict(vocabulary).items()}
        said["vocabulary"] = {name: v for name, v in words.items() if name not in ("drawn_as", "coarser")}
    return said


def vocabulary_of(metadata: Mapping[str, Any]) -> Vocabulary | None:
    """Return the words that the weights know, and what else the world calls them; None where the file does not say."""
    words: dict[str, Any] | None = metadata.get("vocabulary")
    if words is None:
        return None
    nouns, colors, settings = (frozenset(words[name]) for name in ("nouns", "colors", "settings"))
    return with_names(Vocabulary(nouns, colors, settings, words["max_count"], words["max_letters"]))


def check_rests(metadata: Mapping[str, Any], found: Mapping[str, str], name: str) -> None:
    """Check that the frozen parts found, by their sha256, are those on which the weights `name` were trained.

    Raises: WeightsError if one is another. Weights that do not say which one it was are taken as they are.
    """
    rests_on: Mapping[str, str] = metadata.get("rests_on", {})
    for part, sha256 in found.items():
        if rests_on.get(part, sha256) != sha256:
            raise WeightsError(
                f"the weights of {name} were trained on other {part} (sha256 begins with {rests_on[part][:12]}, of "
                f"these with {sha256[:12]}); use those that came together, or train again: scope train {name}"
            )
