"""The web is off unless hosts are allowed; and whatever an address, a redirect or a name server says, nobody else is
spoken to: a real server that listens for it hears nothing."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import httpcore
import pytest

from scope.errors import UsageError
from scope.knowledge.web import Web, load
from scope.net.addresses import is_public
from scope.net.guarded_fetch import Page, Refused, fetch

HOSTS = ("wiki.example", "brand.example:8443")
PUBLIC = "93.184.215.14"


class Sink:
    """A server that counts who connects."""

    def __init__(self) -> None:
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.server.getsockname()[1]
        self.heard = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            self.heard += 1
            connection.close()

    def close(self) -> None:
        self.server.close()


class ToSink(httpcore.NetworkBackend):
    """Takes every connection, wherever it was to go, to the sink: none may be asked for."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.sink.port, timeout=5)


class Canned(httpcore.NetworkBackend):
    """Gives one prepared answer a connection, as if its peer were at `peer`; remembers where it was to connect."""

    def __init__(self, *answers: bytes, peer: str = PUBLIC) -> None:
        self.answers, self.peer, self.connected = list(answers), peer, list[tuple[str, int]]()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        self.connected.append((host, port))
        return CannedStream(self.answers.pop(0), self.peer)


class CannedStream(httpcore.MockStream):
    def __init__(self, answer: bytes, peer: str) -> None:
        super().__init__([answer[i : i + 65536] for i in range(0, len(answer), 65536)])
        self.peer = peer

    def get_extra_info(self, info: str) -> Any:
        return (self.peer, 443) if info == "server_addr" else super().get_extra_info(info)


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    lines = [f"{k.replace('_', '-')}: {v}" for k, v in {"content_length": str(len(body)), **headers}.items()]
    return f"HTTP/1.1 {status}\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def to(location: str) -> bytes:
    return answer(status="302 Found", location=location)


def at(*addresses: str) -> Any:
    return lambda host, port: list(addresses)


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    """Hear nothing from all tests of this file together."""
    sink = Sink()
    yield sink
    time.sleep(0.1)  # for a connection that is on its way
    sink.close()
    assert sink.heard == 0


# -- nobody else is spoken to --------------------------------------------------------------------

ADDRESSES = [
    "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/",
    "http://0/", "http://localhost/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::]/",
    "http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/", "http://10.0.0.1/",
    "http://192.168.0.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://[fd00::1]/",
    "https://wiki.example@127.0.0.1/", "https://user:pw@wiki.example/", "https://@wiki.example/",
    "https://127.0.0.1\\@wiki.example/", "https://wiki.example\\@127.0.0.1/", "https://127.0.0.1#@wiki.example/",
    "https://wiki.example:80@127.0.0.1/", "https://127.0.0.1%2f@wiki.example/", "https://wiki.example%00.evil.example/",
    "https://wiki.example.evil.example/", "https://evil-wiki.example/", "https://sub.wiki.example/",
    "https://wiki.example./", "https://wiki.example:22/", "https://wiki.example:8443/", "https://brand.example/",
    "https://wiki.example:99999/", "https://wiki.example:-1/", "https://wiki.example:0443/", "http:///wiki.example/",
    "https:wiki.example/", "//wiki.example/", "wiki.example", "file:///etc/passwd", "ftp://wiki.example/",
    "gopher://127.0.0.1:70/_", "data:text/html,x", "javascript:alert(1)", "jar:https://wiki.example/!/",
    "https://wiki.example/\r\nHost: evil.example", "https://wiki.example/%0d%0aX: y", "https://wiki.example/\x00",
    "https://wiki.example/ x", "https://ｗiki.example/", "https://wiki。example/", "https://127。0。0。1/",
    "https://wiki.example\t/", " https://wiki.example/", "https://[wiki.example]/", "https://wiki.example?@127.0.0.1/",
    "", "https://", "https://?", "https://xn--wiki-.example/",
]  # fmt: skip


@pytest.mark.parametrize("url", ADDRESSES)
def test_an_address_that_is_not_allowed_is_never_connected_to(url: str, sink: Sink) -> None:
    with pytest.raises(Refused):
        fetch(url, HOSTS, at(PUBLIC), ToSink(sink))


PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "fe80::1",
    "fe80::1%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "2002:7f00:1::", "2002:a00:1::1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "100::1",
    "2606:4700::5efe:7f00:1", "2606:4700:0:0:200:5efe:a00:1", "3fff::1", "not an address", "",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_never_connected_to(address: str, sink: Sink) -> None:
    for addresses in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(Refused, match="not public"):
            fetch("https://wiki.example/", HOSTS, at(*addresses), ToSink(sink))


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "192.0.1.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_addresses_of_the_public_internet_are_public(address: str) -> None:
    assert is_public(address)


def test_a_name_without_addresses_is_refused(sink: Sink) -> None:
    with pytest.raises(Refused):
        fetch("https://wiki.example/", HOSTS, at(), ToSink(sink))


def test_a_name_server_that_changes_its_mind_is_asked_once_and_its_first_answer_is_used() -> None:
    answers: list[Sequence[str]] = [[PUBLIC], ["127.0.0.1"]]
    backend = Canned(answer(b"hello"))
    assert fetch("http://wiki.example/", HOSTS, lambda host, port: answers.pop(0), backend).data == b"hello"
    assert backend.connected == [(PUBLIC, 80)]
    assert len(answers) == 1


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.0.0.7", "::1", "nobody"])
def test_the_peer_of_the_connected_socket_is_checked_before_anything_is_sent(peer: str) -> None:
    backend = Canned(answer(b"secret"), peer=peer)
    with pytest.raises(Refused, match="nothing was sent"):
        fetch("http://wiki.example/", HOSTS, at(PUBLIC), backend)


@pytest.mark.heavy
@pytest.mark.parametrize(
    "url", [url for url in ADDRESSES if url and not url.startswith(("//", "wiki", " ", "https:w"))][:40]
)
def test_a_redirect_is_checked_like_the_first_address(url: str) -> None:
    printed = url.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", "").replace("\x00", "")
    backend = Canned(to(printed), answer(b"secret"))
    with pytest.raises(Refused):
        fetch("https://wiki.example/", HOSTS, at(PUBLIC), backend)
    assert len(backend.connected) == 1


def test_a_redirect_to_a_private_address_by_an_allowed_name_is_refused() -> None:
    addresses = {"wiki.example": PUBLIC, "brand.example": "169.254.169.254"}
    backend = Canned(to("https://brand.example:8443/"), answer(b"secret"))
    with pytest.raises(Refused, match="not public"):
        fetch("https://wiki.example/", HOSTS, lambda host, port: [addresses[host]], backend)
    assert len(backend.connected) == 1


def test_three_redirects_are_followed_and_no_fourth() -> None:
    three = [to("/b"), to("https://brand.example:8443/c"), to("/d")]
    page = fetch("https://wiki.example/a", HOSTS, at(PUBLIC), Canned(*three, answer(b"here")))
    assert (page.url, page.data) == ("https://brand.example:8443/d", b"here")
    with pytest.raises(Refused, match="redirects"):
        fetch("https://wiki.example/a", HOSTS, at(PUBLIC), Canned(*three, to("/e"), answer(b"here")))


def test_a_redirect_may_not_leave_encryption() -> None:
    with pytest.raises(Refused, match="not encrypted"):
        fetch("https://wiki.example/", HOSTS, at(PUBLIC), Canned(to("http://wiki.example/"), answer()))


def test_the_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, sink: Sink) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{sink.port}")
    assert fetch("http://wiki.example/", HOSTS, at(PUBLIC), Canned(answer(b"direct"))).data == b"direct"


# -- limits --------------------------------------------------------------------------------------


def test_a_page_is_at_most_ten_megabytes_whatever_it_announces() -> None:
    endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"x" * (10 * 1024 * 1024 + 1)
    with pytest.raises(Refused, match="larger"):
        fetch("http://wiki.example/", HOSTS, at(PUBLIC), Canned(endless))


def test_a_page_that_drips_is_given_up_in_time() -> None:
    class Slow(Canned):
        def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
            stream = super().connect_tcp(*args, **kwargs)
            read = stream.read
            stream.read = lambda *a: (time.sleep(0.02), read(*a)[:1] or b"x")[1]  # type: ignore[method-assign]
            return stream

    began = time.monotonic()
    with pytest.raises(Refused, match="too long"):
        fetch("http://wiki.example/", HOSTS, at(PUBLIC), Slow(answer(b"never" * 1000)), seconds=0.2)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "reply", [b"", b"garbage\r\n\r\n", answer(status="500 Oops"), answer(status="404 Gone"), to(""), to("https://["),
              answer(b"x", content_encoding="gzip"), b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort"]
)  # fmt: skip
def test_what_is_no_page_is_refused_in_one_line(reply: bytes) -> None:
    with pytest.raises(Refused) as told:
        fetch("http://wiki.example/", HOSTS, at(PUBLIC), Canned(*[reply] * 5))
    assert "\n" not in str(told.value)


# -- search --------------------------------------------------------------------------------------

PAGE = b"""<html><head><title>Team Zorvex</title></head><body><script>evil()</script>
<p>The mascot of Team Zorvex is a <b>green</b> turtle.</p><a href="https://evil.example/">more</a>
<img src="https://evil.example/x.png"></body></html>"""


def page(data: bytes = PAGE, kind: str = "text/html; charset=utf-8", robots: str = "") -> Page:
    return Page("https://wiki.example/w", kind, data, robots)


def test_without_hosts_the_web_is_off() -> None:
    def never(url: str, hosts: tuple[str, ...]) -> Page:
        raise AssertionError(url)

    assert load({}).search("mascot") == []
    assert Web(fetch=never).search("mascot") == []


def test_a_page_is_read_and_nothing_that_it_names_is_fetched() -> None:
    asked = []

    def give(url: str, hosts: tuple[str, ...]) -> Page:
        asked.append((url, hosts))
        return page()

    found = Web(("wiki.example",), fetch=give).search("mascot of Team Zorvex?&x=1")
    assert [p.text for p in found if "turtle" in p.text] == ["The mascot of Team Zorvex is a green turtle."]
    assert found[0].source.locator == "https://wiki.example/w"
    assert not any("evil()" in p.text for p in found)
    assert asked == [
        ("https://wiki.example/w/index.php?search=mascot%20of%20Team%20Zorvex%3F%26x%3D1", ("wiki.example",))
    ]


@pytest.mark.parametrize(
    "refused",
    [
        page(robots="noai"), page(robots="noimageai, noindex"), page(robots="scope: NoAI"), page(kind="image/png"),
        page(b'<meta name="robots" content="noai">' + PAGE), page(b"<META NAME=ROBOTS CONTENT='NOIMAGEAI'>" + PAGE),
        page(kind=""), page(kind="application/pdf"), page(kind="text/html; charset=nonsense"),
    ],
)  # fmt: skip
def test_a_page_that_is_no_text_or_asks_ai_to_stay_away_is_not_used(refused: Page) -> None:
    with pytest.raises(Refused):
        Web(("wiki.example",), fetch=lambda url, hosts: refused).search("mascot")


@pytest.mark.parametrize("host", ["https://wiki.example", "wiki example", "*", "wiki.example/x", "user@wiki.example"])
def test_a_host_that_is_no_name_is_an_error_of_the_settings(host: str) -> None:
    with pytest.raises(UsageError, match="SCOPE_WEB_HOSTS"):
        load({"SCOPE_WEB_HOSTS": host})


def test_a_search_page_must_say_where_the_words_go() -> None:
    with pytest.raises(UsageError, match="query"):
        load({"SCOPE_WEB_HOSTS": "wiki.example", "SCOPE_WEB_SEARCH": "https://wiki.example/"})
