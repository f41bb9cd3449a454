"""The servers of one service: which is asked, what may go wrong, when to ask again, and when to leave one alone.

A request has one deadline, which holds for all that is done about it: retries of what may pass (429, 5xx, timeouts,
broken connections) and the other servers. Nothing here knows what the service is for.

Whatever a server does ends in bytes, or in a ServiceError without the key in it. What httpx logs of it is dropped: it
holds what the server says.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from ssl import SSLContext
from typing import Any, Final, TypeVar

import httpx
from pydantic import SecretStr
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from scope.errors import ServiceError
from scope.net.redaction import Redaction
from scope.text import excerpt

CONNECT_SECONDS: Final = 5.0
MAX_BYTES: Final = 5_000_000  # of one reply
ATTEMPTS: Final = 4
FAILURES: Final = 5  # in a row, after which a server is left alone
REST: Final = 30.0  # seconds

T = TypeVar("T")

_jitter = wait_random_exponential(multiplier=0.5, max=8)  # seconds


class Fault(ServiceError):
    """A request that failed through no fault of its own.

    `retryable`: the same request may succeed later; `wait`: in so many seconds, the server says.
    """

    def __init__(self, message: str, *, retryable: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.retryable, self.wait = retryable, wait


class Refusal(ServiceError):
    """A request that a server refuses, with the HTTP status `status`."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Breaker:
    """A circuit breaker. Opens after five failures in a row; after 30 s one call goes through, whose fate decides."""

    def __init__(self) -> None:
        self.failures = 0
        self.last_failure = ""
        self._since = 0.0

    def allows(self) -> bool:
        """Return whether a call may be made now."""
        if self.failures >= FAILURES:
            if time.monotonic() - self._since < REST:
                return False
            self._since = time.monotonic()  # the others wait for the fate of this one
        return True

    def record_failure(self, why: str) -> None:
        """Note a failure."""
        self.failures, self.last_failure, self._since = self.failures + 1, why, time.monotonic()

    def record_success(self) -> None:
        """Note that the server answered."""
        self.failures = 0


class Endpoint:
    """One server, its key, and how it fared.

    Args:
        url: where it is, without a slash at its end.
        key: sent as bearer token; never printed.
        advice: HTTP status -> what to do about it, for the one who reads the error.
        max_bytes: of one reply.
    """

    def __init__(
        self,
        url: str,
        key: SecretStr | None = None,
        advice: Mapping[int, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.url, self._key, self._advice, self._max_bytes = url, key, advice or {}, max_bytes
        self.redact = Redaction(key)
        self.breaker = Breaker()

    @property
    def headers(self) -> dict[str, str]:
        """Return what every request carries. An answer that is not compressed cannot unfold to more than it weighs."""
        bearer = {"authorization": f"Bearer {self._key.get_secret_value()}"} if self._key is not None else {}
        return {"content-type": "application/json", "accept-encoding": "identity", **bearer}

    async def ask(self, client: httpx.AsyncClient, method: str, path: str, payload: dict[str, Any] | None) -> bytes:
        """Return the body of a successful answer.

        Raises: Fault; Refusal if the server refuses this request.
        """
        try:
            with self._faults():
                body = await self._ask(client, method, path, json.dumps(payload).encode() if payload else b"")
        except Fault as fault:
            self.breaker.record_failure(str(fault))
            raise
        except asyncio.CancelledError:
            self.breaker.record_failure(f"{self.url}: no answer in time")
            raise
        except ServiceError:  # it refuses this request, so it is well
            self.breaker.record_success()
            raise
        self.breaker.record_success()
        return body

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, content: bytes) -> bytes:
        async with client.stream(method, f"{self.url}{path}", content=content, headers=self.headers) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._max_bytes:
                    raise self._fault(f"the reply is larger than {self._max_bytes / 1e6:g} MB")
        if not response.is_success:
            raise self._refusal(response, bytes(body))
        return bytes(body)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn whatever is raised while a server is asked into faults, in words."""
        try:
            yield
        except ServiceError:
            raise
        except httpx.TimeoutException as error:
            raise self._fault(f"the server did not answer ({type(error).__name__})", retryable=True) from None
        except httpx.ConnectError as error:
            raise self._fault(f"no server could be reached ({self._said(error)}). Is it running?") from None
        except httpx.HTTPError as error:
            raise self._fault(f"the connection broke ({self._said(error)})", retryable=True) from None
        except Exception as error:  # odd bytes make a client raise almost anything
            raise self._fault(f"its reply cannot be read ({type(error).__name__})") from None

    def _fault(self, what: str, *, retryable: bool = False, wait: float | None = None) -> Fault:
        return Fault(self.redact(f"{self.url}: {what}"), retryable=retryable, wait=wait)

    def _said(self, words: object) -> str:
        """Return the beginning of what a server says. The key goes first: a cut would leave a piece of it."""
        return excerpt(self.redact(str(words)))

    def _refusal(self, response: httpx.Response, body: bytes) -> ServiceError:
        status = response.status_code
        reason = _reason(body)
        what = f"{status} {self._said(response.reason_phrase)}" + (f": {self._said(reason)}" if reason else "")
        if status == 429 or status >= 500:
            wait = _seconds(response.headers.get("retry-after"))
            asks = f"; it asks to wait {wait:.0f} s" if wait is not None else ""
            return self._fault(what + asks, retryable=True, wait=wait)
        advice = f". {self._advice[status]}" if status in self._advice else ""
        return Refusal(self.redact(f"{self.url}: {what}{advice}"), status)


def _reason(body: bytes) -> str:
    """Return what a server says of its refusal, if anything."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


class Service:
    """Servers that do the same work; the one with the fewest failures is asked first. `timeout`: s without a byte."""

    def __init__(self, endpoints: Sequence[Endpoint], timeout: float) -> None:
        self.endpoints = tuple(endpoints)
        self._timeout = httpx.Timeout(timeout, connect=CONNECT_SECONDS)

    def post(self, path: str, payload: dict[str, Any], seconds: float) -> bytes:
        """Return the body of a server's answer, had within `seconds`; blocks, also inside an event loop.

        Raises: ServiceError if no server gives one; TimeoutError if none does in time.
        """
        return _wait(self._retried("POST", path, payload, seconds))

    def get(self, path: str, seconds: float) -> bytes:
        """Return the body of a server's answer to a question without any content. The rest is as in `post`."""
        return _wait(self._retried("GET", path, None, seconds))

    async def _retried(self, method: str, path: str, payload: dict[str, Any] | None, seconds: float) -> bytes:
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, Fault) and error.retryable),
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(seconds),
            wait=_pause,
            reraise=True,
        )
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(timeout=self._timeout, verify=self._trust) as client,
        ):
            return await retrying(self._ask, client, method, path, payload)

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, payload: dict[str, Any] | None) -> bytes:
        """Ask one server after another until one answers.

        Raises: the latest fault, or ServiceError if all are left alone for a while.
        """
        fault: Fault | None = None
        for endpoint in sorted(self.endpoints, key=lambda e: e.breaker.failures):
            if endpoint.breaker.allows():
                try:
                    return await endpoint.ask(client, method, path, payload)
                except Fault as error:
                    fault = error
        if fault is None:
            last = " | ".join(e.breaker.last_failure for e in self.endpoints)
            raise ServiceError(f"no server is asked for a while, because each failed several times: {last}")
        raise fault

    @cached_property
    def _trust(self) -> SSLContext:
        return httpx.create_ssl_context()


def _pause(state: RetryCallState) -> float:
    """Return the seconds before another attempt: as many as the server asked for, else growing ones with jitter."""
    error = state.outcome.exception() if state.outcome is not None else None
    return error.wait if isinstance(error, Fault) and error.wait is not None else _jitter(state)


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
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


# -- the thread in which it waits ----------------------------------------------------------------


_THREAD: Final = "scope-net"
_LOGGERS: Final = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return an event loop in a thread of its own: only there can a deadline cut off a read, whoever calls."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(lambda record: record.threadName != _THREAD)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name=_THREAD, daemon=True).start()
    return loop


def _wait(work: Coroutine[Any, Any, T]) -> T:
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    finally:
        future.cancel()  # matters only where Ctrl-C ends the waiting
