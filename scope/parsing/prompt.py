"""The cleaned prompt that the stages of the reader pass on, and what of it no commitment speaks of. Loads no model."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from scope.parsing.frames import Frame, find_frames
from scope.parsing.lexicon import FUNCTION_WORDS
from scope.parsing.multiword import find_spans
from scope.parsing.notation import without_notation
from scope.parsing.spans import MultiwordSpan
from scope.specification import Commitment, Kind, Span, Specification

_POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
_WORD = re.compile(r"\d+(?=[^\W\d_]{3})|[\w'’]+|[^\w\s]")  # "1girl" is two


@dataclass(frozen=True)
class Prompt:
    """A cleaned prompt (cleaning.py), as it is `said`. What several stages need to know of its text is found once."""

    said: str

    @cached_property
    def text(self) -> str:
        """The prompt without the notation of other tools, at the same length."""
        return without_notation(self.said).text

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The parts that only introduce the picture."""
        return find_frames(self.text)

    @cached_property
    def spans(self) -> tuple[MultiwordSpan, ...]:
        """The parts that are read as one word, in order; they do not overlap."""
        return find_spans(self.text, self.frames)

    def content_words(self) -> Iterator[Span]:
        """Yield the words and symbols that ask for something: all but function words and frames."""
        for match in _WORD.finditer(self.text):
            word = _POSSESSIVE.sub("", match.group().strip("'’_"))
            if not word or not _is_word(word) or word.lower().replace("’", "'") in FUNCTION_WORDS:
                continue
            start = self.text.index(word, match.start())
            if not any(f.span.start <= start < f.span.end for f in self.frames):
                yield Span(start=start, end=start + len(word))

    def gaps(self, commitments: Iterable[Commitment]) -> list[Span]:
        """Return the runs of neighbouring content words that lie in no commitment's span.

        A later mention of an entity ("... The apples are red") is covered by the entity that it repeats.
        """
        known = list(commitments)
        spans = [c.span for c in known if c.span is not None]
        names = {word for c in known if c.kind is Kind.ENTITY and c.span for word in self._names(c)}
        runs: list[Span] = []
        for word in self.content_words():
            if any(s.start <= word.start and word.end <= s.end for s in spans):
                continue
            if self.text[word.start : word.end].lower() in names:
                continue
            if runs and (self._is_one(runs[-1], word) or all(map(_joins, self.text[runs[-1].end : word.start]))):
                runs[-1] = Span(start=runs[-1].start, end=word.end)
            else:
                runs.append(word)
        return runs

    def _is_one(self, before: Span, word: Span) -> bool:
        """Return whether two words are read as one: "3:15"."""
        return any(s.start <= before.start and word.end <= s.end for s in self.spans)

    def _names(self, entity: Commitment) -> set[str]:
        """Return the words by which an entity may be mentioned again."""
        mention = self.text[entity.span.start : entity.span.end] if entity.span else ""
        return {*mention.lower().split(), *str(entity.value).split()}


def uncovered(spec: Specification) -> list[str]:
    """Return the content words of the prompt that no commitment speaks of. For a decomposed prompt: none."""
    return [spec.prompt[s.start : s.end] for s in Prompt(spec.prompt).gaps(spec.commitments)]


def _is_word(token: str) -> bool:
    """Return whether the token is a word, a number, an emoji or a currency sign, rather than punctuation."""
    return any(c.isalnum() or unicodedata.category(c) in {"So", "Sc"} for c in token)


def _joins(character: str) -> bool:
    """Return whether two words with this character between them are still one phrase."""
    return character in " -/\u200c\u200d" or unicodedata.category(character) in {"Mn", "Mc", "Me", "Sk"}
