"""Which language model is spoken to, where, with which key and how patiently: SCOPE_LANGUAGE_URL and its like."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator

from scope.errors import UsageError
from scope.specification import Model

PREFIX = "SCOPE_LANGUAGE_"

_HIDDEN = frozenset({"url", "key"})  # an error does not repeat their values: they may hold a secret

#: What our own models cannot do without.
_NEEDED = {"openai": ("url", "model"), "vllm": ("model",)}


class LanguageSettings(Model):
    """What the environment says of the language model. The key is never printed, stored or put into an error."""

    url: tuple[str, ...] = Field(default=(), description="servers, such as http://localhost:8000/v1; commas between")
    model: str = Field(default="", description="as the server calls it; in process: a folder or a hub name")
    key: SecretStr | None = None
    timeout: float = Field(default=60.0, gt=0, description="seconds without a byte after which a call is given up")
    deadline: float = Field(default=120.0, gt=0, description="seconds for one question, retries and re-asks included")
    tokens: int = Field(default=2048, ge=1, description="the longest answer")
    context: int = Field(default=16_384, ge=1, description="the longest question, in tokens: bounds what a call costs")
    price_in: float = Field(default=0.0, ge=0, description="per million tokens")
    price_out: float = Field(default=0.0, ge=0, description="per million tokens")

    @field_validator("url", mode="before")
    @classmethod
    def _addresses(cls, value: Any) -> Any:
        return tuple(u.strip().rstrip("/") for u in value.split(",") if u.strip()) if isinstance(value, str) else value

    @field_validator("url")
    @classmethod
    def _plain(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("write each address like http://localhost:8000/v1")
            if parts.username or parts.password or parts.query or parts.fragment:
                raise ValueError(f"an address holds no password and no query; the key goes into {PREFIX}KEY")
        return addresses

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> "LanguageSettings":
        """Return the settings of `environment` (None: of this process), with the key of the keyring if it has none.

        Raises: UsageError naming the variable whose value cannot be used.
        """
        environment = os.environ if environment is None else environment
        given: dict[str, Any] = {
            field: environment[PREFIX + field.upper()]
            for field in cls.model_fields
            if environment.get(PREFIX + field.upper())
        }
        given.setdefault("key", _from_keyring())
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0])
            value = "" if field in _HIDDEN else f"={first['input']!r}"
            raise UsageError(f"{PREFIX}{field.upper()}{value}: {first['msg']}") from None

    def check(self, model: str) -> None:
        """Raise UsageError if one of our own models ("openai", "vllm") lacks what it cannot do without."""
        for field in _NEEDED.get(model, ()):
            if not getattr(self, field):
                what = type(self).model_fields[field].description
                raise UsageError(f"no language model is configured: set {PREFIX}{field.upper()} ({what})")

    def cost(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price of that many tokens."""
        return (tokens_in * self.price_in + tokens_out * self.price_out) / 1e6


def _from_keyring() -> str | None:
    """Return the key that `keyring set scope language` stored; None: none, or no keyring on this machine."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        found: str | None = keyring.get_password("scope", "language")
    except KeyringError:
        return None
    return found
