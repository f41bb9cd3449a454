"""The embedded language model: a prompt's grammar, read with spaCy, as declared commitments.

clean (cleaning.py) -> a Prompt (prompt.py) that knows what only introduces the picture (frames.py) and what is read as
one word (multiword.py, referring.py) -> tagged words (words.py, tagging.py) -> noun phrases (phrases.py) -> the
entities among them (entities.py) -> what is said of them (clauses.py), and how many a singular promises (singulars.py)
-> whatever is left becomes an unknown.

Nothing is sampled: the same prompt always gives the same specification, and every content word lies in the span
of at least one commitment.
"""

from scope.errors import NotEnglish, PromptError
from scope.parsing.anaphora import mark
from scope.parsing.choices import find_choices, read_choice
from scope.parsing.clauses import read_clauses
from scope.parsing.cleaning import clean
from scope.parsing.denials import find_denials, read_open
from scope.parsing.entities import entity_of, find_entities
from scope.parsing.languages import foreign_language
from scope.parsing.phrases import find_phrases
from scope.parsing.prompt import Prompt
from scope.parsing.pronouns import cover_mentions
from scope.parsing.singulars import count_singulars
from scope.parsing.state import ParseState
from scope.parsing.styles import looks
from scope.parsing.tagging import correct
from scope.parsing.words import tagged_words
from scope.specification import Cause, Commitment, Kind, Span, Specification, Status, Type, next_ids

CAUSE = Cause.skill("decompose", "1")
_ENGLISH = "prompts are read in English"
#: More than these no picture could keep, nor anybody read.
MAX_COMMITMENTS = 1_000
_DRAWABLE = frozenset({Type.PRESENCE, Type.TEXT, Type.SETTING, Type.ABSENCE})


class Grammar:
    """Reads a prompt by its grammar: deterministic, offline, a few milliseconds."""

    name = "grammar"
    version = "3"

    def decompose(self, prompt: str) -> Specification:
        """Return the commitments of a prompt, each declared; unknowns are open.

        Spans are characters of the cleaned prompt, which is the specification's own.

        Raises: PromptError if the prompt is empty, too long, or names nothing that can be drawn; NotEnglish.
        """
        text = clean(prompt).text
        if language := foreign_language(text):
            raise NotEnglish(f"{_ENGLISH}; this looks {language}: say it in English, or choose a --language model")
        commitments = _commitments(Prompt(text))
        if (many := len(commitments)) > MAX_COMMITMENTS:
            raise PromptError(f"the prompt makes {many:,} commitments; the limit is {MAX_COMMITMENTS:,}: ask for less")
        if not any(c.type in _DRAWABLE or c.alternatives for c in commitments):
            raise PromptError(f'nothing to draw in "{_short(text)}"; name a thing, a place, or words in quotes')
        return _ledger(text, commitments)


def _commitments(prompt: Prompt) -> list[Commitment]:
    """Return the commitments of a prompt: entities, then what is said of them, then what is open."""
    words = tagged_words(prompt)
    correct(words)
    mark(words)
    state = ParseState(prompt, words, find_phrases(words))
    find_denials(state)
    choices = list(find_choices(state))
    find_entities(state)
    for type_, name, span in (look for frame in prompt.frames for look in looks(prompt.text, frame.look)):
        state.add(type_, f"the {type_} is {name}", name, span)
    read_clauses(state)
    read_open(state)
    for choice in choices:
        read_choice(state, choice)
    cover_mentions(state)
    count_singulars(state)
    entities = [entity_of(state, phrase) for phrase in state.entities]
    for gap in prompt.gaps([*entities, *state.commitments]):
        state.add_unknown(gap, external=_is_name(state, gap))
    return [*entities, *_numbered(state.commitments)]


def _numbered(commitments: list[Commitment]) -> list[Commitment]:
    """Return the constraints c1, c2, ... and then the unknowns u1, u2, ..., each in the order of the prompt."""
    ordered = sorted(commitments, key=lambda c: (c.kind is Kind.UNKNOWN, c.span.start if c.span else 0))
    ids = {Kind.CONSTRAINT: next_ids("c"), Kind.UNKNOWN: next_ids("u")}
    return [c.model_copy(update={"id": next(ids[c.kind])}) for c in ordered]


def _is_name(state: ParseState, gap: Span) -> bool:
    """Return whether the words of a gap are proper names."""
    inside = [w for w in state.words if gap.start <= w.start and w.end <= gap.end]
    return bool(inside) and all(w.tag in {"NNP", "NNPS"} and w.text[:1].isalpha() for w in inside)


def _ledger(text: str, commitments: list[Commitment]) -> Specification:
    spec = Specification(prompt=text)
    for commitment in commitments:
        spec = spec.declare(commitment, CAUSE)
    for commitment in commitments:
        if commitment.kind is Kind.UNKNOWN:
            spec = spec.move(commitment.id, Status.OPEN, CAUSE)
    return spec


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
