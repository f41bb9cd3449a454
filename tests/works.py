"""Work for child processes, good and bad."""

import contextlib
import ctypes
import os
import subprocess
import sys
import time
from typing import Any

from scope.plugins.worker import Child, Talk


def double(talk: Talk, number: int) -> int:
    print("this goes nowhere")
    os.system("echo nor does this")
    return 2 * number


def greet(talk: Talk, name: str) -> str:
    talk.say("began")
    return f"{talk.ask(name)}, {name}"


def read_the_keyboard(talk: Talk, argument: Any) -> str:
    return sys.stdin.read()


def fail(talk: Talk, argument: Any) -> None:
    raise ValueError("no such thing")


def leave(talk: Talk, argument: Any) -> None:
    sys.exit("I am leaving")


def vanish(talk: Talk, argument: Any) -> None:
    print("the last words", file=sys.stderr, flush=True)
    os._exit(7)


def hang(talk: Talk, argument: Any) -> None:
    time.sleep(3600)


def spin(talk: Talk, argument: Any) -> None:
    while True:
        with contextlib.suppress(BaseException):
            pow(3, 10**8)  # one call that holds the interpreter for seconds


def segfault(talk: Talk, argument: Any) -> None:
    ctypes.string_at(0)


def leave_a_child(talk: Talk, argument: Any) -> int:
    return subprocess.Popen(["sleep", "3600"]).pid


def spin_at_most(talk: Talk, limit: float) -> None:
    talk.leave_by_yourself(limit)
    talk.say(os.getpid())
    while True:
        pass


def parent(limit: float) -> None:
    """Start a busy child, print its number, and wait."""
    with Child("works:spin_at_most", limit) as child:
        print(child.hear(30)[1], flush=True)
        time.sleep(3600)
