"""Asks the verifiers about one picture, so that every commitment gets exactly one verdict."""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Literal

from scope.errors import OutputError, StateCorrupt
from scope.protocols import Verifier, Vocabulary, part_name
from scope.specification import (
    Answer,
    Commitment,
    Kind,
    Specification,
    Status,
    Type,
    Verdict,
    answers,
    grounded,
    part_ids,
)
from scope.text import plural, printable

#: Asks one verifier about some commitments; it may raise.
Ask = Callable[[Verifier, Sequence[Commitment]], Sequence[Verdict]]

NOBODY = "none@0"  # the verifier of a verdict that no verifier gave


def judge(spec: Specification, verifiers: Iterable[Verifier], ask: Ask) -> tuple[Verdict, ...]:
    """Return one verdict per commitment that is not waived, in their order.

    What is asked is the specification with its answers in (`grounded`); an answered unknown gets the verdict of its
    facts. Entities come first. What depends on an entity that is not there is blocked, and asked of nobody. Where
    several verifiers handle a commitment, the first that can say counts; one that raises could not say. Of what is
    denied they are asked whether it holds, and the opposite of their verdict counts.
    """
    asked, verifiers = grounded(spec), tuple(verifiers)
    verdicts = _verdicts(asked, verifiers, ask)
    known = answers(spec)
    live = [c for c in spec.commitments if spec.statuses()[c.id] is not Status.WAIVED]
    return tuple(_of_answer(c, known[c.id], verdicts) if c.id in known else verdicts[c.id] for c in live)


def _verdicts(spec: Specification, verifiers: tuple[Verifier, ...], ask: Ask) -> dict[str, Verdict]:
    verdicts = {c.id: _not_understood(c) for c in spec.commitments if c.kind is Kind.UNKNOWN}
    verdicts |= _ask_all([c for c in spec.commitments if c.kind is Kind.ENTITY], verifiers, ask)
    missing = {v.commitment for v in verdicts.values() if v.outcome == "violated"}
    constraints = [c for c in spec.commitments if c.kind is Kind.CONSTRAINT]
    blocked = {c.id: _blocked(spec, c, missing) for c in constraints if missing.intersection(c.depends_on)}
    return verdicts | blocked | _ask_all([c for c in constraints if c.id not in blocked], verifiers, ask)


def _of_answer(unknown: Commitment, answer: Answer, verdicts: dict[str, Verdict]) -> Verdict:
    """Return the verdict of an answered unknown: the worst of its facts', in the words of its answer."""
    entities = [f.target for f in answer.facts if f.type is Type.PRESENCE and f.target]
    parts = [verdicts[i] for i in (*entities, *part_ids(unknown.id, answer))]
    if not parts:
        return _unjudged(unknown, f'no verifier can judge "{answer.words}"')
    worst = next((v for v in parts if v.outcome == "violated"), next((v for v in parts if v.outcome is None), parts[0]))
    reason = "; ".join(dict.fromkeys(v.reason for v in parts if v.outcome == worst.outcome))
    return worst.model_copy(update={"commitment": unknown.id, "reason": f'it is "{answer.words}": {reason}'})


def unknown_to(vocabulary: Vocabulary, commitment: Commitment) -> str | None:
    """Return what of a commitment the generator's weights have never seen, in words; None: nothing."""
    value = _drawn(vocabulary, commitment)
    if commitment.type is Type.PRESENCE and value not in vocabulary.nouns and value not in vocabulary.drawn_as:
        near = _nearest(str(value), vocabulary.nouns)
        return f"the word {value!r}" + (f" (the nearest that they know: {', '.join(near)})" if near else "")
    if commitment.type is Type.ATTRIBUTE and (commitment.aspect != "color" or value not in vocabulary.colors):
        return f"the attribute {commitment.value!r}"
    if commitment.type is Type.SETTING and value not in vocabulary.settings:
        return f"the setting {commitment.value!r}"
    if commitment.type is Type.CAMERA:
        return f"the camera {value!r}"
    if commitment.type is Type.COUNT and not any(map(commitment.allows, range(1, vocabulary.max_count + 1))):
        return f"counts above {vocabulary.max_count}"
    if commitment.type is Type.TEXT and len(str(value).encode()) > vocabulary.max_letters:
        most = vocabulary.max_letters
        return f"how to write more than {most} letters" if most else "how to write words"
    return None


def _nearest(word: str, nouns: Iterable[str], most: int = 3) -> list[str]:
    """Return the nouns that are spelled most like a word, none of them beside its own plural."""
    near = get_close_matches(word, nouns, 2 * most, cutoff=0.5)
    plurals = {plural(noun) for noun in near}
    return [noun for noun in near if noun not in plurals][:most]


def drawn_as(vocabulary: Vocabulary, commitment: Commitment) -> str | None:
    """Return what is drawn for a word that says more than the generator's weights know, or may mean several things."""
    if (shown := _drawn(vocabulary, commitment)) != commitment.value:
        return f"{commitment.value!r} is drawn as {shown!r}"
    nouns = vocabulary.drawn_as.get(str(commitment.value), ()) if commitment.type is Type.PRESENCE else ()
    if len(nouns) > 1:
        return f"{commitment.value!r} may mean {', '.join(nouns[:-1])} or {nouns[-1]}; the first is drawn"
    return f"{commitment.value!r} is drawn as the wider word {nouns[0]!r}" if nouns else None


def _drawn(vocabulary: Vocabulary, commitment: Commitment) -> str | int:
    """Return the value of a commitment, or the coarser colour or setting that is drawn for it."""
    is_coarse = commitment.type in (Type.ATTRIBUTE, Type.SETTING)
    return vocabulary.coarser.get(str(commitment.value), commitment.value) if is_coarse else commitment.value


def drawn_apart(vocabulary: Vocabulary, commitments: Iterable[Commitment]) -> str | None:
    """Return which settings the generator's weights know but cannot draw into one picture; None: none."""
    scene = (c for c in commitments if c.type is Type.SETTING and not c.targets and not c.denied)
    shown = (str(_drawn(vocabulary, c)) for c in scene)
    asked = list(dict.fromkeys(setting for setting in shown if setting in vocabulary.settings))
    if vocabulary.together is None or len(asked) < 2 or frozenset(asked) in vocabulary.together:
        return None
    *others, last = map(repr, asked)
    return f"{', '.join(others)} and {last} are not drawn together; {asked[0]!r} is drawn"


def _ask_all(commitments: Sequence[Commitment], verifiers: tuple[Verifier, ...], ask: Ask) -> dict[str, Verdict]:
    verdicts = {c.id: _unjudged(c, "no verifier can judge this") for c in commitments}
    for verifier in verifiers:
        open_ = [c for c in commitments if verdicts[c.id].outcome is None]
        try:
            mine = [c for c in open_ if verifier.handles(c)]
        except Exception as error:
            why = f"the verifier failed: {type(error).__name__}: {printable(str(error))}"
            verdicts |= {c.id: _unjudged(c, why, part_name(verifier)) for c in open_}
            continue
        if mine:
            verdicts |= {v.commitment: v for v in _answers(verifier, mine, ask)}
    return verdicts


def _answers(verifier: Verifier, commitments: Sequence[Commitment], ask: Ask) -> Sequence[Verdict]:
    """Return one verdict per commitment whatever the verifier does, in its own name."""
    name = part_name(verifier)
    try:
        verdicts = ask(verifier, [c.model_copy(update={"denied": False}) if c.denied else c for c in commitments])
    except (OutputError, StateCorrupt):  # its answer could not be recorded: the run's failure, not the verifier's
        raise
    except Exception as error:
        why = f"the verifier failed: {type(error).__name__}: {printable(str(error))}"
        return [_unjudged(c, why, name) for c in commitments]
    if [v.commitment for v in verdicts] != [c.id for c in commitments]:
        why = "the verifier did not answer what it was asked"
        return [_unjudged(c, why, name) for c in commitments]
    named = [v.model_copy(update={"verifier": name}) for v in verdicts]
    return [_turned(v) if c.denied else v for v, c in zip(named, commitments, strict=True)]


def _turned(verdict: Verdict) -> Verdict:
    """Return what a verdict says of a commitment that is denied: of several, none may be so."""
    turned: dict[str | None, Literal["met", "violated"]] = {"met": "violated", "violated": "met"}
    some = {seen.fits for seen in verdict.evidence} == {True, False}
    return verdict.model_copy(update={"outcome": "violated" if some else turned.get(verdict.outcome)})


def _not_understood(commitment: Commitment) -> Verdict:
    return _unjudged(commitment, "it is not known what this means: nothing grounds it")


def _unjudged(commitment: Commitment, why: str, verifier: str = NOBODY) -> Verdict:
    return Verdict(commitment=commitment.id, outcome=None, reason=why, verifier=verifier)


def _blocked(spec: Specification, commitment: Commitment, missing: set[str]) -> Verdict:
    entity = next(i for i in commitment.depends_on if i in missing)
    return Verdict(
        commitment=commitment.id,
        outcome=None,
        reason=f"blocked: {spec[entity].value} is not in the picture",
        verifier=NOBODY,
        blocked_by=entity,
    )
