"""One server of a language model: a request to it, what may go wrong, and when to leave it alone."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
from pydantic import SecretStr

from scope.errors import LanguageError
from scope.text import excerpt

CONNECT_SECONDS: Final = 5.0
LARGEST_BODY: Final = 5_000_000  # bytes
FAILURES: Final = 5  # in a row, after which a server is left alone
REST: Final = 30.0  # seconds


class Fault(LanguageError):
    """A call that failed. `again`: the same call may succeed later; `wait`: in so many seconds, the server says."""

    def __init__(self, message: str, *, again: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.again, self.wait = again, wait


class Breaker:
    """Opens after five failures in a row; after 30 s it lets one call through, whose fate decides."""

    def __init__(self) -> None:
        self.failures = 0
        self.last = ""  # the latest failure, in words
        self._since = 0.0

    def allows(self) -> bool:
        """Return whether a call may be made now."""
        if self.failures >= FAILURES:
            if time.monotonic() - self._since < REST:
                return False
            self._since = time.monotonic()  # the others wait for the fate of this one
        return True

    def failed(self, why: str) -> None:
        """Note a failure."""
        self.failures, self.last, self._since = self.failures + 1, why, time.monotonic()

    def succeeded(self) -> None:
        """Note that the server answered."""
        self.failures = 0


class Endpoint:
    """A server that speaks chat completions, its key, and how it fared."""

    def __init__(self, url: str, key: SecretStr | None = None) -> None:
        self.url, self._key = url, key
        self.breaker = Breaker()

    @property
    def headers(self) -> dict[str, str]:
        """Return what every request carries. An answer that is not compressed cannot unfold to more than it weighs."""
        bearer = {"authorization": f"Bearer {self._key.get_secret_value()}"} if self._key is not None else {}
        return {"content-type": "application/json", "accept-encoding": "identity", **bearer}

    async def post(self, client: httpx.AsyncClient, payload: dict[str, Any]) -> bytes:
        """Return the body of a successful answer.

        Raises: Fault.
        """
        try:
            with self._faults():
                body = await self._post(client, json.dumps(payload).encode())
        except Fault as fault:
            self.breaker.failed(str(fault))
            raise
        except asyncio.CancelledError:
            self.breaker.failed(f"{self.url}: no answer in time")
            raise
        except LanguageError:  # it refuses this request, so it is well
            self.breaker.succeeded()
            raise
        self.breaker.succeeded()
        return body

    async def _post(self, client: httpx.AsyncClient, content: bytes) -> bytes:
        url = f"{self.url}/chat/completions"
        async with client.stream("POST", url, content=content, headers=self.headers) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise Fault(f"{self.url}: the reply is larger than {LARGEST_BODY / 1e6:g} MB")
        if not response.is_success:
            raise self._refusal(response, bytes(body))
        return bytes(body)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn what httpx raises into faults, in words."""
        try:
            yield
        except httpx.TimeoutException as error:
            raise Fault(f"{self.url}: the server did not answer ({type(error).__name__})", again=True) from None
        except httpx.ConnectError as error:
            raise Fault(f"{self.url}: no server could be reached ({excerpt(error)}). Is it running?") from None
        except httpx.HTTPError as error:
            raise Fault(f"{self.url}: the connection broke ({excerpt(error)})", again=True) from None

    def _refusal(self, response: httpx.Response, body: bytes) -> LanguageError:
        said = f"{self.url}: {response.status_code} {response.reason_phrase}{self._reason(body)}"
        if response.status_code == 429 or response.status_code >= 500:
            wait = _seconds(response.headers.get("retry-after"))
            asks = f"; it asks to wait {wait:.0f} s" if wait is not None else ""
            return Fault(said + asks, again=True, wait=wait)
        advice = {
            401: ". Is SCOPE_LANGUAGE_KEY right?",
            403: ". Is SCOPE_LANGUAGE_KEY right?",
            404: ". Does the address end as the server wants it, mostly in /v1, and is SCOPE_LANGUAGE_MODEL served?",
        }.get(response.status_code, "")
        return LanguageError(said + advice)

    def _reason(self, body: bytes) -> str:
        """Return what the server says of its refusal; some repeat the key, we do not."""
        try:
            error = json.loads(body)["error"]
            reason = str(error["message"] if isinstance(error, dict) else error)
        except (ValueError, TypeError, KeyError, RecursionError):
            return ""
        if self._key is not None:
            reason = reason.replace(self._key.get_secret_value(), "***")
        return f": {excerpt(reason)}"


def _seconds(retry_after: str | None) -> float | None:
    """Return how long a Retry-After asks to wait: it holds seconds or a date."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
