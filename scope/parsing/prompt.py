"""The prompt as text: cleaning it, its content words, and those that no commitment speaks of. Loads no model."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from scope.errors import PromptError
from scope.parsing.lexicon import FUNCTION_WORDS
from scope.specification import Commitment, Kind, Span, Specification
from scope.text import is_hidden, printable

MAX_WORDS = 1_000
MAX_CHARACTERS = 10_000

_MEDIUM = (
    r"photos?|photographs?|pictures?|images?|pics?|snapshots?|shots?|scenes?|"
    r"paintings?|drawings?|sketch(?:es)?|illustrations?|renders?|renderings?|cartoons?|watercolou?rs?|portraits?|"
    r"engravings?|etchings?|woodcuts?|lithographs?|collages?|mosaics?|comics?"
)
#: Mediums that only say "this is a picture".
PLAIN_MEDIUMS = re.compile(r"(?:photo|photograph|picture|image|pic|snapshot|shot|scene)s?", re.IGNORECASE)

_FRAMES = (
    re.compile(
        r"^(?:please\s+)?(?:(?:create|generate|draw|make|paint|show|render|produce|imagine|depict|design|give)\s+"
        r"(?:(?:me|us)\s+)?(?=(?:an?|the|one|two|three|some)\s))?"
        r"(?:(?:(?:an?|the|this|one)\s+)?(?P<style>(?:[\w-]+,?\s+){0,4}?)(?P<medium>" + _MEDIUM + r")\s+"
        r"(?:of|showing|depicting|featuring)\s+)?",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:in|on) (?:this|the|that) (?:image|picture|photo|photograph|scene)\b(?=,| (?:we|i|you|there|is|are)\b)",
        re.IGNORECASE,
    ),
    re.compile(r"\b(?:we|i|you|one) (?:can )?(?:also )?see\b", re.IGNORECASE),
)

_POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
_WORD = re.compile(r"[\w'’]+|[^\w\s]")


@dataclass(frozen=True)
class Cleaned:
    """A prompt that is safe to read and print. `removed` names the characters that were taken out, once each."""

    text: str
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """Words that say "make a picture of", and the words among them that name a style (an empty span: none)."""

    span: Span
    style: Span


def clean(prompt: str) -> Cleaned:
    """Return the prompt in NFC, on one line, without control, bidirectional and unassigned characters.

    Raises: PromptError if nothing is left, or if it is longer than 1,000 words or 10,000 characters.
    """
    hidden = [c for c in prompt if is_hidden(c)]
    kept = "".join(c for c in prompt if not is_hidden(c))
    text = printable(unicodedata.normalize("NFC", kept))
    if not text.strip("\u200c\u200d "):
        raise PromptError('the prompt is empty; say what to draw, such as "two red apples on a beach"')
    if (length := len(text.split())) > MAX_WORDS:
        raise PromptError(f"the prompt has {length:,} words; the limit is {MAX_WORDS:,}: say it more briefly")
    if len(text) > MAX_CHARACTERS:
        raise PromptError(
            f"the prompt has {len(text):,} characters; the limit is {MAX_CHARACTERS:,}: say it more briefly"
        )
    names = dict.fromkeys(f"U+{ord(c):04X} {unicodedata.name(c, 'control character')}" for c in hidden)
    return Cleaned(text, tuple(names))


def frames(prompt: str) -> tuple[Frame, ...]:
    """Return the parts of a cleaned prompt that only introduce the picture, such as "a photo of"."""
    found = []
    for pattern in _FRAMES:
        for match in pattern.finditer(prompt):
            if match.end() > match.start():
                found.append(Frame(Span(start=match.start(), end=match.end()), _style(match)))
    return tuple(found)


def _style(match: "re.Match[str]") -> Span:
    """Return where a frame names a style: "a watercolor painting of", but not "a photo of"."""
    groups = match.groupdict()
    if not groups.get("medium"):
        return Span(start=match.end(), end=match.end())
    end = match.start("medium") if PLAIN_MEDIUMS.fullmatch(groups["medium"]) else match.end("medium")
    return Span(start=match.start("style"), end=max(match.start("style"), end))


def content_words(prompt: str) -> Iterator[Span]:
    """Yield the words and symbols of a cleaned prompt that promise something: all but function words and frames."""
    framed = [f.span for f in frames(prompt)]
    for match in _WORD.finditer(prompt):
        word = _POSSESSIVE.sub("", match.group().strip("'’_"))
        if not word or not _speaks(word) or word.lower().replace("’", "'") in FUNCTION_WORDS:
            continue
        start = prompt.index(word, match.start())
        if not any(f.start <= start < f.end for f in framed):
            yield Span(start=start, end=start + len(word))


def _speaks(word: str) -> bool:
    """Return whether the token is a word, a number, an emoji or a currency sign, rather than punctuation."""
    return any(c.isalnum() or unicodedata.category(c) in {"So", "Sc"} for c in word)


def _joins(character: str) -> bool:
    """Return whether two words with this character between them are still one phrase."""
    return character in " -/\u200c\u200d" or unicodedata.category(character) in {"Mn", "Mc", "Me", "Sk"}


def gaps(prompt: str, commitments: Iterable[Commitment]) -> list[Span]:
    """Return the runs of neighbouring content words that lie in no commitment's span.

    A later mention of a thing ("... The apples are red") is covered by the entity that it repeats.
    """
    said = list(commitments)
    spans = [c.span for c in said if c.span is not None]
    named = {w for c in said if c.kind is Kind.ENTITY and c.span for w in _names(prompt, c)}
    runs: list[Span] = []
    for word in content_words(prompt):
        if any(s.start <= word.start and word.end <= s.end for s in spans):
            continue
        if prompt[word.start : word.end].lower() in named:
            continue
        if runs and all(_joins(c) for c in prompt[runs[-1].end : word.start]):
            runs[-1] = Span(start=runs[-1].start, end=word.end)
        else:
            runs.append(word)
    return runs


def _names(prompt: str, entity: Commitment) -> set[str]:
    """Return the words by which an entity may be mentioned again."""
    said = prompt[entity.span.start : entity.span.end] if entity.span else ""
    return {*said.lower().split(), *str(entity.value).split()}


def uncovered(spec: Specification) -> list[str]:
    """Return the content words of the prompt that no commitment speaks of. For a decomposed prompt: none."""
    return [spec.prompt[s.start : s.end] for s in gaps(spec.prompt, spec.commitments)]
