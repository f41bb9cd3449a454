"""Work for worker processes, good and bad."""

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from typing import Any

from scope.worker import GRACE, Channel, Worker


def double(channel: Channel, number: int) -> int:
    print("this goes nowhere")
    os.system("echo nor does this")
    return 2 * number


def greet(channel: Channel, name: str) -> str:
    channel.log("began")
    return f"{channel.ask(name)}, {name}"


def read_the_keyboard(channel: Channel, argument: Any) -> str:
    return sys.stdin.read()


def fail(channel: Channel, argument: Any) -> None:
    raise ValueError("no such thing")


def leave(channel: Channel, argument: Any) -> None:
    sys.exit("I am leaving")


def vanish(channel: Channel, argument: Any) -> None:
    print("the last words", file=sys.stderr, flush=True)
    os._exit(7)


def hang(channel: Channel, argument: Any) -> None:
    time.sleep(3600)


def spin(channel: Channel, argument: Any) -> None:
    while True:
        with contextlib.suppress(BaseException):
            pow(3, 10**8)  # one call that holds the interpreter for seconds


def segfault(channel: Channel, argument: Any) -> None:
    ctypes.string_at(0)


def leave_a_child(channel: Channel, argument: Any) -> int:
    return subprocess.Popen(["sleep", "3600"]).pid


def fill_memory(channel: Channel, limit: int) -> str:
    channel.limit_memory(limit)
    try:
        bytearray(2 * limit)
    except MemoryError as error:
        return type(error).__name__
    return "it was given"


def wait_beyond(channel: Channel, limit: float) -> str:
    channel.exit_after(limit)
    channel.exit_after(None)
    time.sleep(limit + 2 * GRACE)
    return "alive"


def spin_at_most(channel: Channel, limit: float) -> None:
    channel.exit_after(limit)
    channel.log(os.getpid())
    while True:
        pass


def parent(limit: float) -> None:
    """Start a busy worker, print its number, and wait."""
    with Worker("works:spin_at_most", limit) as worker:
        print(worker.receive(30)[1], flush=True)
        time.sleep(3600)
