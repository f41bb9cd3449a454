"""Servers that answer a language model's question in every odd way, or repeat the key that they were given.

An attack bites if the key is in what a person sees or a run keeps, if anything but a LanguageError comes of it, if it
outlasts its deadline, or if an answer is cheaper than one can be whose server does not tell what it used.
"""

import base64
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice, product
from random import Random
from typing import Any

from pydantic import SecretStr

from scope.benchmarks.attacks.tally import Tally
from scope.errors import LanguageError
from scope.llm.openai import OpenAIModel
from scope.llm.settings import LanguageSettings
from scope.net.redaction import Redaction
from scope.protocols import Message
from scope.skills.decompose import Decompose
from scope.specification import Specification
from scope.testing import fake_toolbox
from scope.testing.malformed import ODD, deformed, scrambled

KEY = "sk-canary-5b1d6c0e+/="
_REDACT = Redaction(SecretStr(KEY))
_DEADLINE = 0.4  # seconds
_KEYS = 280  # cases with a key in them
_LATE = 5.0  # seconds beyond the deadline, on a busy machine
_SCHEMA = {
    "type": "object",
    "properties": {"words": {"type": "string"}, "left_out": {"type": "array", "items": {"type": "string"}}},
    "required": ["words"],
    "additionalProperties": False,
}

#: What a case is, the whole reply of the server, and what an answer costs at least.
Case = tuple[str, bytes, float]

#: How a server writes the key.
_WRITTEN: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    lambda key: base64.b64encode(f"Bearer {key}".encode()).decode(),
    lambda key: key.encode().hex(),
    lambda key: " ".join(key),
    lambda key: "\u200b".join(key),
    lambda key: "x" * 190 + key,  # a cut would leave a piece of it
)

#: Values where numbers are expected, as JSON.
_NUMBERS = (
    '""', '"9"', "null", "true", "-1", "-0.5", "0", "1e400", "-1e400", "1" + "0" * 400, "NaN", "Infinity", "[]", "{}",
    "[1]", '{"a": 1}', "1e6", "0.5", "1e308", "-9999", "12345678901234567890", "2.0", '"NaN"', "1e-400",
)  # fmt: skip

_RETRY_AFTER = (
    "Mon, 01 Jan 2020 00:00:00 +999999999999999999", "1e400", "-1", "nan", "inf", "", " ", "soon", "0x10", "1" * 5000,
    "Mon, 99 Jan 9999 99:99:99 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "\u0661", "Thu, 01 Jan 1970 00:00:00 -0000", "1;",
)  # fmt: skip


def attack(count: int, chance: Random) -> Tally:
    """Have `count` servers answer."""
    tally = Tally()
    with _server() as (url, answers):
        for what, answer, least in islice(_cases(chance), count):
            answers.append(answer)
            settings = LanguageSettings(
                url=(url,), model="tiny", key=SecretStr(KEY), timeout=_DEADLINE, deadline=_DEADLINE,
                tokens=64, context=64, price_in=1e6, price_out=1e6,
            )  # fmt: skip
            seen, began = list[str](), time.monotonic()
            ask = _decomposed if tally.tried % 2 else _asked
            tally.attempt(what, partial(ask, OpenAIModel(settings), seen, least))
            tally.failures += [f"{what}: the key is shown" for said in seen if _REDACT(said) != said][:1]
            if time.monotonic() - began > _DEADLINE + _LATE:
                tally.failures.append(f"{what}: it outlasted its deadline")
    return tally


def _asked(model: OpenAIModel, seen: list[str], least: float) -> None:
    """Ask one question; what a person could see of the answer is appended to `seen`."""
    try:
        reply = model.complete([Message(role="user", content="What is it?")], _SCHEMA)
    except LanguageError as error:
        seen.append(str(error))
        return
    seen.append(reply.model_dump_json())
    if reply.cost < least:
        raise ValueError(f"it costs {reply.cost:g}")


def _decomposed(model: OpenAIModel, seen: list[str], least: float) -> None:
    """Have a prompt read: by the server or, whatever it says, by the grammar."""
    spec = Decompose().run(Specification(prompt="2 red apple"), fake_toolbox(language=model))
    seen.append(spec.canonical())
    if not spec.commitments:
        raise ValueError("nothing was read")


# -- the cases -----------------------------------------------------------------------------------


def _cases(chance: Random) -> Iterator[Case]:
    """Yield cases without end: those that were thought out, in any order, then deformed and scrambled replies."""
    fixed = [*chance.sample([*_with_key()], _KEYS), *_odd()]
    chance.shuffle(fixed)
    yield from fixed
    whole = json.loads(_completion('{"words": "a", "left_out": ["b"]}', '"usage": {"prompt_tokens": 3}'))
    while True:
        yield "a deformed completion", _http(json.dumps(deformed(whole, chance)).encode()), 0.0
        yield "a scrambled reply", scrambled(_http(json.dumps(whole).encode()), chance), 0.0
        inner = json.dumps(deformed({"words": "a", "left_out": ["b", chance.choice(ODD)]}, chance))
        yield "a deformed answer", _http(_completion(inner)), 0.0


def _with_key() -> Iterator[Case]:
    """Yield servers that repeat the key."""
    for status, where, written in product((401, 200, 429, 503, 302), _PLACES, _WRITTEN):
        yield f"{status} with the key in {where}", _PLACES[where](status, written(KEY)), 0.0


def _odd() -> Iterator[Case]:
    """Yield servers whose numbers, answers and very bytes are odd."""
    for value in _RETRY_AFTER:
        yield f"retry-after: {value[:40]}", _http(b"{}", 429, f"retry-after: {value}"), 0.0
    for name, value in product(("prompt_tokens", "completion_tokens"), _NUMBERS):
        usage = json.dumps({"prompt_tokens": 1, "completion_tokens": 1}).replace(f'"{name}": 1', f'"{name}": {value}')
        least = 2.0 if value in ("1e6", "12345678901234567890") else 64.0
        yield f"{name}: {value[:40]}", _http(_completion('{"words": "a"}', f'"usage": {usage}')), least
    for usage in ("null", "[]", "{}", '"many"', "3", "NaN"):
        yield f"usage: {usage}", _http(_completion('{"words": "a"}', f'"usage": {usage}')), 128.0
    yield "no usage", _http(_completion('{"words": "a"}')), 128.0
    for content in _CONTENTS:
        yield f"content: {content[:40]}", _http(_completion(content)), 0.0
    for raw in _RAW:
        yield f"raw: {raw[:40]!r}", raw, 0.0


def _http(body: bytes, status: int = 200, *headers: str, reason: str = "x") -> bytes:
    lines = [f"HTTP/1.1 {status} {reason}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def _completion(content: str, *more: str, finish: str = "stop") -> bytes:
    choice = {"message": {"content": content}, "finish_reason": finish}
    return ("{" + ", ".join([f'"choices": [{json.dumps(choice)}]', *more]) + "}").encode(errors="surrogatepass")


def _error(message: Any) -> bytes:
    return json.dumps({"error": message}).encode()


#: Where the key stands -> the reply.
_PLACES: dict[str, Callable[[int, str], bytes]] = {
    "the reason phrase": lambda status, key: _http(b"", status, reason=f"Bearer {key}"),
    "the status line": lambda status, key: f"Bearer {key} {status}\r\n\r\n".encode(),
    "a header": lambda status, key: _http(b"", status, f"x-key: {key}", f"location: {key}"),
    "a header's name": lambda status, key: _http(b"", status, f"{key}: 1"),
    "no header": lambda status, key: _http(b"", status, key),
    "the length": lambda status, key: f"HTTP/1.1 {status} x\r\ncontent-length: {key}\r\n\r\n".encode(),
    "a chunk": lambda status, key: f"HTTP/1.1 {status} x\r\ntransfer-encoding: chunked\r\n\r\n{key}\r\n".encode(),
    "the message": lambda status, key: _http(_error({"message": f"no such key: Bearer {key}"}), status),
    "the error": lambda status, key: _http(_error(key), status),
    "a list of errors": lambda status, key: _http(_error({"message": [key, {"key": key}]}), status),
    "the finish reason": lambda status, key: _http(_completion("{}", finish=key), status),
    "the answer": lambda status, key: _http(_completion(json.dumps({"words": key})), status),
    "escapes": lambda status, key: _http(
        _completion('{"words": "' + "".join(f"\\u{ord(c):04x}" for c in key) + '"}'), status
    ),
    "what breaks the schema": lambda status, key: _http(_completion(json.dumps({"words": [key]})), status),
    "a property": lambda status, key: _http(_completion(json.dumps({"words": "a", key: key})), status),
    "what is no JSON": lambda status, key: _http(_completion(f"{{{key}"), status),
    "the body": lambda status, key: _http(key.encode(), status),
}

_CONTENTS = (
    '{"words": "\\ud800"}', '{"words": "a", "left_out": ["\\udfff"]}', '{"words": "\ud800"}', "[" * 100_000, "{" * 9999,
    '{"words": 1e400}', '{"words": NaN}', '{"words": "a", "words": "b"}', "", " ", "null", '"a"', "[]", "{}",
    '{"words": "' + "a" * 1_000_000 + '"}', '{"words": "a"}' * 2, '{"words": "\x00\x1b[2J"}', "1" + "0" * 10_000,
    '{"words": "a", "left_out": [' + ",".join(['"b"'] * 100_000) + "]}",
)  # fmt: skip

_RAW = (
    b"", b"\r\n\r\n", b"HTTP/9.9 200 x\r\n\r\n", b"HTTP/1.1 999 x\r\n\r\n", b"HTTP/1.1 -1 x\r\n\r\n", b"\x00" * 5000,
    b"HTTP/1.1 200", b"HTTP/1.1 200 x\r\ncontent-length: -5\r\n\r\n", b"HTTP/1.1 200 x\r\ncontent-length: 1e9\r\n\r\n",
    b"HTTP/1.1 200 x\r\ncontent-length: " + b"9" * 400 + b"\r\n\r\n{}", b"\x16\x03\x01\x02\x00", b"SSH-2.0-x\r\n",
    b"HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}", b"HTTP/1.1 100 x\r\n\r\n" * 300,
    b"HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n{}", b"HTTP/1.1 204 x\r\n\r\n{}",
    b"HTTP/1.1 200 \xff\xfe\r\ncontent-length: 0\r\n\r\n", b"HTTP/1.1 200 x\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    b"HTTP/1.1 200 x\r\n\xff: \x00\r\n\r\n", b"HTTP/1.1 101 x\r\n\r\n", b"HTTP/1.1 200 x\r\n\r\n\xff\xfe{",
)  # fmt: skip


# -- the server ----------------------------------------------------------------------------------


@contextmanager
def _server() -> Iterator[tuple[str, list[bytes]]]:
    """Serve on the loopback; yield the address, and the list whose last reply everybody gets."""
    answers: list[bytes] = [b""]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            self.rfile.read(length)
            self.wfile.write(answers[-1])

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads, allow_reuse_address, request_queue_size = True, True, 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: clients hang up, which is what is tried."""

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", answers
        server.shutdown()
