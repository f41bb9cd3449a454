"""Fetches one page of an allow-listed host, and speaks to nobody else.

What is checked, and where: the address as written (scheme, host, port; no user info), every redirect like the first
address, every numeric address that a name resolves to before anything is connected, and the peer of the connected
socket. A name is resolved once and the connection goes to what was checked, so that a second answer of the name server
changes nothing. The environment's proxies are not used. Bytes and seconds are limited on the socket itself.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpcore

from scope.errors import ScopeError
from scope.net.addresses import is_public

MAX_BYTES = 10 * 1024 * 1024
MAX_SECONDS = 20.0
MAX_REDIRECTS = 3

_PORTS = {"http": 80, "https": 443}
#: Strict on purpose: what two readers of addresses could read in two ways is refused.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]{1,253})(?::(?P<port>[1-9]\d{0,4}))?(?P<target>/[!-~]*)?",
    re.IGNORECASE | re.ASCII,  # else the Kelvin sign is a k
)
_FORBIDDEN = re.compile(r"\\|%(?:0[0ad]|5c)", re.IGNORECASE | re.ASCII)

Resolve = Callable[[str, int], Sequence[str]]


class Refused(ScopeError):
    """A page that may not be fetched, or could not be."""


@dataclass(frozen=True)
class Page:
    """What came back. `kind` is its media type, `robots` what its server says to robots."""

    url: str
    kind: str
    data: bytes
    robots: str


@dataclass(frozen=True)
class _Url:
    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def resolve(host: str, port: int) -> list[str]:
    """Return the numeric addresses of a host.

    Raises: OSError if it has none.
    """
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def fetch(
    url: str,
    hosts: Iterable[str],
    resolve: Resolve = resolve,
    backend: httpcore.NetworkBackend | None = None,
    seconds: float = MAX_SECONDS,
) -> Page:
    """Return a page.

    Args:
        url: its address.
        hosts: the only hosts that may be asked, also by redirects: "name", or "name:port" for a port of its own.
        resolve: gives the numeric addresses of a host.
        backend: connects to a numeric address; None: by a socket.
        seconds: for all of it.

    Raises: Refused if the address, a redirect or a peer is not allowed, or no page came back in time.
    """
    allowed = frozenset(host.lower() for host in hosts)
    guard = _Guard(resolve, backend or httpcore.SyncBackend(), _Budget(seconds))
    here = _checked(url, allowed)
    for _ in range(MAX_REDIRECTS + 1):
        status, headers, data = _get(here, guard)
        if status not in (301, 302, 303, 307, 308):
            break
        there = _checked(_joined(here, headers.get("location", "")), allowed)
        if (here.scheme, there.scheme) == ("https", "http"):
            raise Refused(f"{here}: it redirects to an address that is not encrypted")
        here = there
    else:
        raise Refused(f"{url}: more than {MAX_REDIRECTS} redirects")
    if status != 200:
        raise Refused(f"{here}: the server answered {status}")
    if headers.get("content-encoding", "identity") != "identity":
        raise Refused(f"{here}: the page is compressed, although it was not to be")
    return Page(str(here), headers.get("content-type", ""), data, headers.get("x-robots-tag", ""))


def _checked(url: str, allowed: frozenset[str]) -> _Url:
    """Return the parts of an address that may be asked.

    Raises: Refused.
    """
    match = None if _FORBIDDEN.search(url) else _URL.fullmatch(url.partition("#")[0])
    if match is None:
        raise Refused(f"{url[:200]!r} is no address that may be fetched: http(s), a plain host name and a path only")
    scheme, host = match["scheme"].lower(), match["host"].lower()
    port = int(match["port"] or _PORTS[scheme])
    if not (f"{host}:{port}" in allowed or (host in allowed and port == _PORTS[scheme])):
        raise Refused(f"{host}:{port} is not among the hosts that may be asked (SCOPE_WEB_HOSTS)")
    return _Url(scheme, host, port, match["target"] or "/")


def _joined(here: _Url, location: str) -> str:
    try:
        return urljoin(str(here), location)
    except ValueError as error:
        raise Refused(f"{here}: it redirects to {location[:200]!r}, which is no address") from error


def _get(url: _Url, guard: "_Guard") -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of one address; redirects are not followed."""
    headers: dict[bytes | str, bytes | str] = {
        "Host": url.authority,
        "User-Agent": "scope-t2i",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    address = httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target)
    try:
        with httpcore.ConnectionPool(network_backend=guard) as pool:
            answer = pool.request("GET", address, headers=headers)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise Refused(f"{url}: {type(error).__name__}: {error}") from error
    # Of a header that is there several times all count.
    found: dict[str, str] = {}
    for name, value in answer.headers:
        key = name.decode("latin-1").lower()
        found[key] = ", ".join(filter(None, (found.get(key), value.decode("latin-1"))))
    return answer.status, found, answer.content


# -- the socket ----------------------------------------------------------------------------------


class _Budget:
    """The seconds and bytes that are left."""

    def __init__(self, seconds: float) -> None:
        self._deadline, self._bytes = time.monotonic() + seconds, MAX_BYTES

    def seconds(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Refused("the page took too long")
        return left

    def spend(self, count: int) -> None:
        self._bytes -= count
        if self._bytes < 0:
            raise Refused(f"the page is larger than {MAX_BYTES} bytes")


class _Guard(httpcore.NetworkBackend):
    """Connects to public addresses only."""

    def __init__(self, resolve: Resolve, backend: httpcore.NetworkBackend, budget: _Budget) -> None:
        self._resolve, self._backend, self._budget = resolve, backend, budget

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = self._resolve(host, port)
        private = [address for address in addresses if not is_public(address)]
        if private or not addresses:
            raise Refused(f"{host} is at {', '.join(private) or 'no address'}, which is not public; nothing was sent")
        stream = self._backend.connect_tcp(addresses[0], port, self._budget.seconds(), None, socket_options)
        peer = str((stream.get_extra_info("server_addr") or ("nobody",))[0])
        if not is_public(peer):
            stream.close()
            raise Refused(f"{host} led to {peer}, which is not public; nothing was sent")
        return _Limited(stream, self._budget)

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        raise Refused("a socket of this machine is no page")


class _Limited(httpcore.NetworkStream):
    """A connection whose seconds and bytes are counted."""

    def __init__(self, stream: httpcore.NetworkStream, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, self._budget.seconds())
        self._budget.spend(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._budget.seconds())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Limited(self._stream.start_tls(ssl_context, server_hostname, self._budget.seconds()), self._budget)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
