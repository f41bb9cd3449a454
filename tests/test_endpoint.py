"""Servers of any service: images as well as language. Their faults, limits and advice; nothing is said of language."""

from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from scope.errors import LanguageError, ServiceError
from scope.net.endpoint import FAILURES, Breaker, Endpoint, Fault, Service

Answering = Callable[[Callable[[httpx.Request], httpx.Response]], None]
IMAGES, PAYLOAD = "/images/generations", {"prompt": "a red apple"}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Let a function answer instead of the network."""
    real = httpx.AsyncClient

    def install(answer: Callable[[httpx.Request], httpx.Response]) -> None:
        monkeypatch.setattr("httpx.AsyncClient", lambda **given: real(transport=httpx.MockTransport(answer)))

    return install


def service(**options: object) -> Service:
    return Service([Endpoint("http://images/v1", SecretStr("k-1"), **options)], timeout=5.0)  # type: ignore[arg-type]


def test_a_request_goes_to_its_path_with_the_key(answering: Answering) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"picture")

    answering(answer)
    assert service().post(IMAGES, PAYLOAD, seconds=5.0) == b"picture"
    [request] = seen
    assert (str(request.url), request.headers["authorization"]) == ("http://images/v1" + IMAGES, "Bearer k-1")


@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False)])
def test_a_reply_is_as_large_as_the_service_allows(answering: Answering, size: int, fits: bool) -> None:
    answering(lambda request: httpx.Response(200, content=b"x" * size))
    if fits:
        assert len(service(max_bytes=100).post(IMAGES, PAYLOAD, seconds=5.0)) == size
    else:
        with pytest.raises(Fault, match="larger than"):
            service(max_bytes=100).post(IMAGES, PAYLOAD, seconds=5.0)


@pytest.mark.parametrize(("status", "advised"), [(401, True), (400, False)])
def test_advice_is_that_of_the_service(answering: Answering, status: int, advised: bool) -> None:
    answering(lambda request: httpx.Response(status, json={"error": {"message": "no, k-1"}}))
    with pytest.raises(ServiceError) as caught:
        service(advice={401: "Is IMAGES_KEY right?"}).post(IMAGES, PAYLOAD, seconds=5.0)
    assert ("Is IMAGES_KEY right?" in str(caught.value)) is advised
    assert not isinstance(caught.value, Fault | LanguageError)
    assert "language" not in str(caught.value).lower()
    assert "k-1" not in str(caught.value)
    assert caught.value.exit_code == 75


def test_the_server_with_the_fewest_failures_is_asked_first(answering: Answering) -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(200 if request.url.host == "b" else 302)

    answering(answer)
    both = Service([Endpoint("http://a"), Endpoint("http://b")], timeout=5.0)
    both.endpoints[0].breaker.record_failure("it was slow")
    assert both.post(IMAGES, PAYLOAD, seconds=5.0) == b""
    assert hosts == ["b"]


def test_a_breaker_opens_after_failures_in_a_row() -> None:
    breaker = Breaker()
    for count in range(FAILURES):
        assert breaker.allows(), count
        breaker.record_failure("down")
    assert not breaker.allows()
    breaker.record_success()
    assert breaker.allows()
