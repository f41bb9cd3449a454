"""A server that fails in every way: what comes of it for each who asks, in time, and with the key unseen."""

import json
import logging
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image
from prompts import PROMPT, READING
from pydantic import SecretStr

from scope.errors import LanguageError
from scope.llm.openai import OpenAIModel
from scope.llm.settings import LanguageSettings
from scope.net import endpoint
from scope.protocols import LanguageModel, Message
from scope.skills.decompose import Decompose
from scope.skills.reason import Reason
from scope.skills.retrieve import Retrieve
from scope.specification import Cause, Commitment, Kind, Span, Specification, Status, Type, answers
from scope.specification.permissions import appended
from scope.testing import FakeKnowledge, FakeReader, fake_toolbox
from scope.verifiers.vlm import VlmVerifier

pytestmark = pytest.mark.heavy

CANARY = "sk-canary-5b1d6c0e"
SPEC = FakeReader().decompose(PROMPT)
PASSAGE = "The mascot of Zorvex has always been three green turtles"
YES_NO = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}


def envelope(content: str, finish: str | None = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return json.dumps({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}).encode()


# -- the server ----------------------------------------------------------------------------------


class Handler(BaseHTTPRequestHandler):
    server: "FaultServer"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(json.loads(body))
        self.server.keys.append(self.headers.get("authorization", ""))
        self.server.faults[min(len(self.server.asked), len(self.server.faults)) - 1](self)

    def reply(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.start(len(body), status, **headers)
        self.wfile.write(body)

    def start(self, length: int, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content_length": str(length), "content_type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


Behaviour = Callable[[Handler], None]


class FaultServer(ThreadingHTTPServer):
    """Answers each request with the next behaviour; the last repeats."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *faults: Behaviour, good: str = '{"answer": "yes"}') -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.faults, self.good = faults or (well,), good
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.closing = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # clients hang up: that is what is tested


def well(h: Handler) -> None:
    h.reply(envelope(h.server.good))


def garbage(h: Handler) -> None:
    h.reply(bytes(range(256)) * 4)


def html(h: Handler) -> None:
    h.reply(b"<!doctype html><title>Sign in</title><p>Please sign in.", content_type="text/html")


def rate_limit(h: Handler) -> None:
    h.reply(b'{"error": {"message": "slow down"}}', 429, retry_after="1")


def server_error(h: Handler) -> None:
    h.reply(b"oops", 500)


def slow_drip(h: Handler) -> None:
    body = envelope(h.server.good)
    h.start(len(body))
    for byte in body:
        if h.server.closing.wait(0.1):
            return
        h.wfile.write(bytes([byte]))
        h.wfile.flush()


def reset(h: Handler) -> None:
    body = envelope(h.server.good)
    h.start(len(body))
    h.wfile.write(body[: len(body) // 2])
    h.wfile.flush()
    h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    h.connection.close()


def wrong_schema(h: Handler) -> None:
    h.reply(envelope('{"verdict": "met", "answer": "maybe"}'))


def empty(h: Handler) -> None:
    h.reply(b"")


def fifty_megabytes(h: Handler) -> None:
    h.start(50_000_000)
    h.wfile.write(envelope(h.server.good)[:-1])
    for _ in range(50):
        h.wfile.write(b" " * 1_000_000)


def length(h: Handler) -> None:
    h.reply(envelope(h.server.good, "length"))


def duplicate_chunks(h: Handler) -> None:
    h.reply(envelope(h.server.good) * 2)


def extra_choices(h: Handler) -> None:
    whole = json.loads(envelope(h.server.good))
    h.reply(json.dumps(whole | {"choices": whole["choices"] * 2}).encode())


def silence(h: Handler) -> None:
    h.server.closing.wait(10)


def repeats_the_key(h: Handler) -> None:
    h.reply(json.dumps({"error": {"message": f"bad key: {h.headers['authorization']}"}}).encode(), 401)


def cut_to(count: int) -> Behaviour:
    return lambda h: h.reply(envelope(h.server.good)[:count])


def zeros(h: Handler) -> None:
    h.reply(bytes(4_000_000))


def answer_in_html(h: Handler) -> None:
    h.reply(b"<pre>" + envelope(h.server.good) + b"</pre>", content_type="text/html")


def nested(h: Handler) -> None:
    h.reply(envelope('{"answer": ' + "[" * 20_000 + "]" * 20_000 + "}"))


def without_content(h: Handler) -> None:
    h.reply(b'{"choices": [{"index": 0, "message": {"content": null}, "finish_reason": "stop"}]}')


def stream(h: Handler) -> None:
    h.reply((b"data: " + envelope(h.server.good) + b"\n\n") * 2, content_type="text/event-stream")


def no_choices(h: Handler) -> None:
    h.reply(b'{"choices": []}')


def withheld(h: Handler) -> None:
    h.reply(envelope(h.server.good, "content_filter"))


def endless(h: Handler) -> None:
    h.send_response(200)
    h.end_headers()
    for _ in range(50):
        h.wfile.write(b" " * 1_000_000)


def busy(h: Handler) -> None:
    h.reply(b"<h1>Busy</h1>", 503, retry_after="0")


def bad_gateway(h: Handler) -> None:
    h.reply(b"<h1>Bad gateway</h1>" * 1000, 502, content_type="text/html")


def slow_headers(h: Handler) -> None:
    h.send_response(200)
    h.flush_headers()
    while not h.server.closing.wait(0.1):
        h.wfile.write(b"x-wait: longer\r\n")


def hang_up(h: Handler) -> None:
    h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    h.connection.close()


def stall(h: Handler) -> None:
    body = envelope(h.server.good)
    h.start(len(body))
    h.wfile.write(body[:-1])
    h.wfile.flush()
    h.server.closing.wait(10)


#: Each fault in another form.
FORMS: dict[Behaviour, Behaviour] = {
    garbage: zeros,
    html: answer_in_html,
    wrong_schema: nested,
    empty: without_content,
    duplicate_chunks: stream,
    extra_choices: no_choices,
    length: withheld,
    fifty_megabytes: endless,
    rate_limit: busy,
    server_error: bad_gateway,
    slow_drip: slow_headers,
    reset: hang_up,
    silence: stall,
}
#: The faults of an answer, with how often one question is asked before it is given up.
ANSWERS: dict[Behaviour, int] = {
    garbage: 3,
    html: 3,
    wrong_schema: 3,
    empty: 3,
    duplicate_chunks: 3,
    extra_choices: 3,
    length: 1,
    fifty_megabytes: 1,
}
#: The faults of a connection, for which time decides.
CONNECTIONS: tuple[Behaviour, ...] = (rate_limit, server_error, slow_drip, reset, silence)


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    servers: list[FaultServer] = []

    def start(*faults: Behaviour, good: str = '{"answer": "yes"}') -> FaultServer:
        server = FaultServer(*faults, good=good)
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.closing.set()
        server.shutdown()
        server.server_close()


def model_of(*urls: str, **settings: Any) -> OpenAIModel:
    given = {"url": urls, "model": "tiny", "key": SecretStr(CANARY), "timeout": 30, "deadline": 60}
    return OpenAIModel(LanguageSettings.model_validate(given | settings))


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


# -- who asks ------------------------------------------------------------------------------------


@dataclass
class Told:
    """What came of asking: whether it counts as an answer, and all words that a person may see of it."""

    answered: bool
    words: str = ""
    shown: list[str] = field(default_factory=list)


def ask_client(model: LanguageModel) -> Told:
    try:
        reply = model.complete([Message(role="user", content="Is it so?")], YES_NO)
    except LanguageError as error:
        return Told(False, str(error), [repr(error), *traceback.format_exception(error)])
    return Told(True, str(reply.data))


def ask_decompose(model: LanguageModel) -> Told:
    spec = Decompose().run(Specification(prompt=PROMPT), fake_toolbox(language=model))
    assert promises(spec) == promises(SPEC)
    note = spec.events[0].evidence.note
    assert not note or spec.commitments == SPEC.commitments
    return Told(not note, note, [spec.canonical(), repr(spec)])


def promises(spec: Specification) -> set[tuple[Any, ...]]:
    return {(c.type, c.value, c.span, c.aspect, tuple(spec[t].value for t in c.targets)) for c in spec.commitments}


def ask_questions(model: LanguageModel) -> Told:
    return _verdicts(VlmVerifier(model, "questions"))


def ask_list(model: LanguageModel) -> Told:
    return _verdicts(VlmVerifier(model, "list"))


def _verdicts(verifier: VlmVerifier) -> Told:
    verdicts = verifier.check(Image.new("RGB", (8, 8)), SPEC.commitments, SPEC)
    assert [v.commitment for v in verdicts] == [c.id for c in SPEC.commitments]
    assert {v.outcome for v in verdicts} <= {"met", None}
    unjudged = [v.reason for v in verdicts if v.outcome is None]
    return Told(not unjudged, "".join(unjudged[:1]), [v.model_dump_json() for v in verdicts])


def ask_retrieve(model: LanguageModel) -> Told:
    return _grounded(Retrieve(), unknown("the mascot of Zorvex", "mascot", Type.EXTERNAL_REFERENCE), model)


def ask_reason(model: LanguageModel) -> Told:
    return _grounded(Reason(), unknown("the animal that barks", "animal", Type.SEMANTIC_REASONING), model)


def unknown(prompt: str, noun: str, type_: Type) -> Specification:
    """Return a thing of which an open unknown says what it is."""
    at = prompt.index(noun)
    thing = Commitment(
        id="e1", kind=Kind.ENTITY, type=Type.PRESENCE, claim=noun, value=noun, span=Span(start=at, end=at + len(noun))
    )
    whole = Span(start=0, end=len(prompt))
    clue = Commitment(id="u1", kind=Kind.UNKNOWN, type=type_, claim=prompt, value=prompt, targets=("e1",), span=whole)
    spec = Specification(prompt=prompt).declare(thing, Cause.skill("test", "1")).declare(clue, Cause.skill("test", "1"))
    return spec.move("u1", Status.OPEN, Cause.skill("test", "1"))


def _grounded(skill: Retrieve | Reason, before: Specification, model: LanguageModel) -> Told:
    """Ask for what a skill finds: the right answer, or an unknown that is open as before and says why."""
    knowledge = FakeKnowledge([PASSAGE] * 3)  # which no grammar reads
    after = skill.run(before, fake_toolbox(language=model, knowledge=(knowledge,)))
    assert appended(before, after, skill.name, skill.version)
    found, last = answers(after), after.history("u1")[-1]
    if not found:
        assert last.after is Status.OPEN
        return Told(False, last.evidence.note, [after.canonical(), repr(after)])
    assert found["u1"].words == {"retrieve": "3 green turtles", "reason": "a dog"}[skill.name]
    return Told(True, found["u1"].words, [after.canonical(), repr(after)])


#: Each caller, and what a server that is well answers it.
CALLERS: dict[Callable[[LanguageModel], Told], str] = {
    ask_client: '{"answer": "yes"}',
    ask_decompose: json.dumps(READING),
    ask_questions: '{"answer": "yes"}',
    ask_list: json.dumps({c.id: "yes" for c in SPEC.commitments}),
    ask_retrieve: json.dumps({"quote": PASSAGE, "noun": "turtle", "color": "green", "count": 3}),
    ask_reason: '{"reason": "dogs bark", "answer": "dog"}',
}


@pytest.fixture(params=CALLERS, ids=lambda caller: caller.__name__)
def caller(request: pytest.FixtureRequest) -> Callable[[LanguageModel], Told]:
    chosen: Callable[[LanguageModel], Told] = request.param
    return chosen


# -- the faults ----------------------------------------------------------------------------------


def test_a_server_that_is_well_is_believed(
    serve: Callable[..., FaultServer], caller: Callable[[LanguageModel], Told]
) -> None:
    assert caller(model_of(serve(good=CALLERS[caller]).url)).answered


#: What a server does, request after request; the last repeats.
PLANS: dict[str, Callable[[Behaviour], tuple[Behaviour, ...]]] = {
    "always": lambda fault: (fault,),
    "always, in another form": lambda fault: (FORMS[fault],),
    "once": lambda fault: (fault, well),
    "once in each form": lambda fault: (fault, FORMS[fault], well),
    "later": lambda fault: (well, fault),
}


def is_got_over(fault: Behaviour, plan: str, caller: Callable[[LanguageModel], Told]) -> bool | None:
    """Return whether an answer comes of it all the same; None: time decides."""
    if plan.startswith("always"):
        return False
    if fault in CONNECTIONS:
        return None
    return caller is not ask_questions if plan == "later" else ANSWERS[fault] == 3  # only it asks again after an answer


@pytest.mark.parametrize(
    "fault", [*ANSWERS, *(pytest.param(c, marks=pytest.mark.slow) for c in CONNECTIONS)], ids=lambda f: f.__name__
)
def test_every_fault_is_got_over_or_falls_back_within_the_deadline_and_shows_no_key(
    fault: Behaviour,
    serve: Callable[..., FaultServer],
    caller: Callable[[LanguageModel], Told],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    deadline = 0.5 if fault in CONNECTIONS else 5.0
    for plan, behaviours in PLANS.items():
        server = serve(*behaviours(fault), good=CALLERS[caller])
        model = model_of(server.url, timeout=0.6 * deadline, deadline=deadline)
        began = time.monotonic()
        told = caller(model)
        assert time.monotonic() - began <= deadline + 2, plan
        assert is_got_over(fault, plan, caller) in (None, told.answered), (plan, told)
        assert told.answered or told.words, plan
        assert set(server.keys) <= {f"Bearer {CANARY}"}
        seen = [told.words, *told.shown, repr(model), repr(model.settings), model.settings.model_dump_json()]
        assert not any(CANARY in text for text in [*seen, caplog.text, *capfd.readouterr()]), plan


@pytest.mark.parametrize("count", range(1, 6))
def test_servers_that_are_not_there_are_a_fallback_at_once(count: int, caller: Callable[[LanguageModel], Told]) -> None:
    began = time.monotonic()
    told = caller(model_of(*(nobody() for _ in range(count)), deadline=5.0))
    assert time.monotonic() - began <= 7
    assert not told.answered
    assert "Is it running?" in told.words


@pytest.mark.parametrize("fault", ANSWERS, ids=lambda fault: fault.__name__)
def test_what_is_no_answer_is_asked_for_thrice_and_what_is_cut_off_once(
    fault: Behaviour, serve: Callable[..., FaultServer]
) -> None:
    server = serve(fault)
    assert not ask_client(model_of(server.url)).answered
    assert len(server.asked) == ANSWERS[fault]


def test_a_wait_that_is_longer_than_the_time_left_is_not_begun(serve: Callable[..., FaultServer]) -> None:
    server = serve(rate_limit)
    told = ask_client(model_of(server.url, deadline=0.9))
    assert len(server.asked) <= 1
    assert "asks to wait 1 s" in told.words or "within 0.9 s" in told.words


def test_a_server_that_repeats_the_key_does_not_make_us_repeat_it(
    serve: Callable[..., FaultServer], caller: Callable[[LanguageModel], Told]
) -> None:
    told = caller(model_of(serve(repeats_the_key).url))
    assert "bad key: Bearer ***" in told.words
    assert "SCOPE_LANGUAGE_KEY" in told.words
    assert not any(CANARY in text for text in [told.words, *told.shown])


# -- truncation ----------------------------------------------------------------------------------


def test_a_reply_cut_at_any_byte_is_not_accepted(serve: Callable[..., FaultServer]) -> None:
    whole = envelope('{"answer": "yes"}')
    server = serve(*(cut_to(count) for count in range(len(whole)) for _ in range(3)), well)
    model = model_of(server.url)
    for _ in range(len(whole)):
        with pytest.raises(LanguageError, match="not one chat completion"):
            model.complete([Message(role="user", content="Is it so?")], YES_NO)
    assert ask_client(model).answered  # uncut, it is


# -- retries, other servers, the breaker ---------------------------------------------------------


@pytest.mark.parametrize("fault", [server_error, reset, silence, garbage, wrong_schema], ids=lambda f: f.__name__)
def test_what_passes_is_got_over(fault: Behaviour, serve: Callable[..., FaultServer]) -> None:
    server = serve(fault, well)
    timeout = 2 if fault is silence else 30
    assert ask_client(model_of(server.url, timeout=timeout)).answered
    assert len(server.asked) == 2


def test_an_answer_that_cannot_be_used_is_said_back_with_the_reason(serve: Callable[..., FaultServer]) -> None:
    server = serve(wrong_schema, well)
    assert ask_client(model_of(server.url)).answered
    first, second = (request["messages"] for request in server.asked)
    assert second[: len(first)] == first
    assert [turn["role"] for turn in second[len(first) :]] == ["assistant", "user"]
    assert "does not obey the schema" in second[-1]["content"]


def test_tokens_of_every_answer_are_paid_for(serve: Callable[..., FaultServer]) -> None:
    model = model_of(serve(wrong_schema, well).url, price_in=1.0, price_out=10.0)
    reply = model.complete([Message(role="user", content="Is it so?")], YES_NO)
    assert (reply.tokens_in, reply.tokens_out) == (20, 10)
    assert reply.cost == pytest.approx((20 * 1 + 10 * 10) / 1e6)
    assert reply.cost <= model.ceiling


def test_retry_after_is_honoured(serve: Callable[..., FaultServer]) -> None:
    model = model_of(serve(rate_limit, well).url)
    began = time.monotonic()
    assert ask_client(model).answered
    assert time.monotonic() - began >= 1.0


def test_the_next_server_is_asked_and_the_one_with_fewer_failures_first(serve: Callable[..., FaultServer]) -> None:
    bad, good = serve(server_error), serve()
    model = model_of(nobody(), bad.url, good.url)
    assert ask_client(model).answered
    assert (len(bad.asked), len(good.asked)) == (1, 1)
    assert ask_client(model).answered
    assert (len(bad.asked), len(good.asked)) == (1, 2)


def test_a_server_that_failed_five_times_is_left_alone_until_one_call_gets_through(
    serve: Callable[..., FaultServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(*[fifty_megabytes] * 6, well)
    model = model_of(server.url)
    assert not any(ask_client(model).answered for _ in range(5))
    told = ask_client(model)
    assert len(server.asked) == 5
    assert "larger than 5 MB" in told.words  # it says why nobody is asked
    monkeypatch.setattr(endpoint, "REST", 0.0)  # half open
    assert not ask_client(model).answered
    assert len(server.asked) == 6
    monkeypatch.setattr(endpoint, "REST", 30.0)
    assert not ask_client(model).answered
    assert len(server.asked) == 6
    monkeypatch.setattr(endpoint, "REST", 0.0)
    assert ask_client(model).answered
    monkeypatch.setattr(endpoint, "REST", 30.0)
    assert ask_client(model).answered  # closed again


def test_a_request_that_is_refused_does_not_close_the_door_to_others(serve: Callable[..., FaultServer]) -> None:
    server = serve(*[repeats_the_key] * 6, well)
    model = model_of(server.url)
    assert not any(ask_client(model).answered for _ in range(6))
    assert ask_client(model).answered
