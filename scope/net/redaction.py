"""A key taken out of whatever a server says: some repeat it, in many forms, and what they say is shown and kept."""

import base64
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

HIDDEN = "***"
_SHORTEST = 3  # characters of a key
_TELLING = 8  # characters of another way of writing it that cannot be there by chance
_LONGEST_WORD = 12  # letters of a word that stands where a server wants a key and needs none: EMPTY, none


class Redaction:
    """Hides one key. Without a key, or with an ordinary word in its place, everything stays as it was."""

    def __init__(self, key: SecretStr | None) -> None:
        self._key = key

    def __call__(self, said: str) -> str:
        """Return a text without the key: in whatever capitals, with spaces between, in base64, hex or a URL."""
        return self._forms.sub(HIDDEN, said) if self._forms is not None else said

    def plain(self, value: Any) -> Any:
        """Return plain JSON without the key in any text of it, those of its keys included."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        if isinstance(value, dict):
            return {self(str(name)): self.plain(inner) for name, inner in value.items()}
        return value

    @cached_property
    def _forms(self) -> re.Pattern[str] | None:
        key = self._key.get_secret_value() if self._key is not None else ""
        if len(key) < _SHORTEST or (key.isalpha() and len(key) <= _LONGEST_WORD):
            return None
        forms = sorted(set(_forms(key)), key=len, reverse=True)
        return re.compile("|".join(map(_spaced, forms)), re.IGNORECASE)


def _spaced(form: str) -> str:
    """Return a pattern that finds a form also with spaces, hidden characters and the like between its letters."""
    other = "".join(sorted({re.escape(c) for c in form if not c.isalnum()}))
    return rf"[^\w{other}]{{0,3}}".join(map(re.escape, form))


def _forms(key: str) -> Iterator[str]:
    """Yield the ways in which a key is written."""
    yield key
    yield from (form for form in _encoded(key) if len(form) >= _TELLING)


def _encoded(key: str) -> Iterator[str]:
    data = key.encode(errors="replace")
    yield from (quote(key, safe="", errors="replace"), data.hex())
    for before in range(3):  # where it begins in what was encoded decides its letters; those it shares with others go
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        whole = encoded[(8 * before + 5) // 6 : 8 * (before + len(data)) // 6]
        yield from (whole, whole.translate(str.maketrans("+/", "-_")))
