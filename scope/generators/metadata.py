"""What a generator's file of weights says of itself: the words that it was trained on, and whose latents it draws.

{"vocabulary": {"nouns": [...], "colors": [...], "settings": [...], "max_count": 4, "max_letters": 8},
"tokenizer_sha256": "..."}
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from scope.errors import WeightsError
from scope.protocols import Vocabulary


def metadata_of(vocabulary: Vocabulary | None, tokenizer_sha256: str) -> dict[str, Any]:
    """Return what `scope.nn.weights.write` stores beside a generator's tensors."""
    said: dict[str, Any] = {"tokenizer_sha256": tokenizer_sha256}
    if vocabulary is not None:
        words = {name: sorted(v) if isinstance(v, frozenset) else v for name, v in asdict(vocabulary).items()}
        said["vocabulary"] = words
    return said


def vocabulary_of(metadata: Mapping[str, Any]) -> Vocabulary | None:
    """Return the words that the weights know; None where the file does not say."""
    words: dict[str, Any] | None = metadata.get("vocabulary")
    if words is None:
        return None
    nouns, colors, settings = (frozenset(words[name]) for name in ("nouns", "colors", "settings"))
    return Vocabulary(nouns, colors, settings, words["max_count"], words["max_letters"])


def check_tokenizer(metadata: Mapping[str, Any], sha256: str, name: str) -> None:
    """Check that a tokenizer, by the sha256 of its file, is the one whose latents the weights were trained on.

    Raises: WeightsError if it is another. Weights that do not say which one it was are taken as they are.
    """
    if metadata.get("tokenizer_sha256", sha256) != sha256:
        raise WeightsError(
            f"the weights of {name} were trained on the latents of another tokenizer (its sha256 begins with "
            f"{metadata['tokenizer_sha256'][:12]}, this one's with {sha256[:12]}); use the two that came together, or "
            f"train again: scope train {name}"
        )
