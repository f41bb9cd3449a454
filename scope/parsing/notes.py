"""What a reader should know of how a prompt was read, beside its commitments: one sentence each."""

from scope.parsing.notation import without_notation
from scope.parsing.prompt import Prompt
from scope.parsing.typos import misspelt

_MOST = 8  # that one sentence lists


def notes_of(said: str) -> tuple[str, ...]:
    """Return what is not supported in a cleaned prompt, and which of its words may be slips."""
    return (*_dropped(said), *_slips(said))


def _dropped(said: str) -> tuple[str, ...]:
    dropped = list(dict.fromkeys(said[span.start : span.end] for span in without_notation(said).dropped))
    if not dropped:
        return ()
    listed = ", ".join(f'"{words}"' for words in dropped[:_MOST])
    more = f" and {len(dropped) - _MOST} more" if len(dropped) > _MOST else ""
    return (
        f"weights, parameters and tags of other tools are not supported; the prompt is read without {listed}{more}",
    )


def _slips(said: str) -> tuple[str, ...]:
    found = dict(misspelt(Prompt(said)))
    return tuple(f'"{word}" is no word that is known; did you mean "{meant}"?' for word, meant in found.items())
