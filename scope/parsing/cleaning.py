"""A prompt made safe to read and to print, before anything is read in it. Loads no model."""

import re
import unicodedata
from dataclasses import dataclass

from scope.errors import PromptError
from scope.text import is_hidden, printable

#: What a terminal obeys (ECMA-48): the letters after the escape character are no words.
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
MAX_WORDS = 1_000
MAX_CHARACTERS = 10_000


@dataclass(frozen=True)
class Cleaned:
    """A prompt that is safe to read and print. `removed` names the characters that were taken out, once each."""

    text: str
    removed: tuple[str, ...] = ()


def clean(prompt: str) -> Cleaned:
    """Return the prompt in NFC, on one line, without control, bidirectional and unassigned characters.

    Raises: PromptError if nothing is left, or if it is longer than 1,000 words or 10,000 characters.
    """
    hidden = [c for c in prompt if is_hidden(c)]
    kept = "".join(c for c in _CONTROL_SEQUENCE.sub("", prompt) if not is_hidden(c))
    text = printable(unicodedata.normalize("NFC", kept))
    if not printable(text, joiners=False):
        raise PromptError('the prompt is empty; say what to draw, such as "two red apples on a beach"')
    if (length := len(text.split())) > MAX_WORDS:
        raise PromptError(f"the prompt has {length:,} words; the limit is {MAX_WORDS:,}: say it more briefly")
    if len(text) > MAX_CHARACTERS:
        raise PromptError(
            f"the prompt has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}: say it more briefly"
        )
    names = dict.fromkeys(f"U+{ord(c):04X} {unicodedata.name(c, 'control character')}" for c in hidden)
    return Cleaned(text, tuple(names))
