"""What is said of the things: counts, qualities, relations, actions, words to be read, places in the picture."""

from collections.abc import Iterator

from scope.parsing import lexicon
from scope.parsing.phrases import Phrase
from scope.parsing.reading import Reading, span_of
from scope.parsing.words import Word
from scope.specification import Span, Type


def read_clauses(reading: Reading) -> None:
    """Note everything that is said of the things and the setting."""
    for phrase in reading.phrases:
        _of_phrase(reading, phrase)
    for i, word in enumerate(reading.words):
        if reading.phrase_at(i) is None and not _is_negated(reading, i):
            _READERS.get(word.role, _nothing)(reading, i)


def _of_phrase(reading: Reading, phrase: Phrase) -> None:
    """Note the promises inside one phrase: "two very large red apples"."""
    words = reading.words[phrase.start : phrase.stop]
    if phrase.absent:
        span = span_of([reading.words[phrase.start - 1], *words])
        value = " ".join([*(str(w.value) for run in phrase.modifiers for w in run), phrase.noun])
        reading.say(Type.ABSENCE, f"there is no {value}", value, span)
        return
    if phrase.tells is not None:
        first, last = sorted((phrase, phrase.tells), key=lambda p: p.start)
        reading.ask(span_of(reading.words[first.start : last.stop]), phrase.tells, external=True)
        return
    if phrase.setting is not None:
        lead = [w for w in reading.words[max(0, phrase.start - 1) : phrase.start] if w.role == "r"]
        reading.say(Type.SETTING, f"the setting is {phrase.setting}", phrase.setting, span_of([*lead, *phrase.nouns]))
    if phrase.number is not None and phrase.id is not None:
        _count(reading, phrase, phrase.number)
    if phrase.vague is not None:
        _quantity(reading, phrase, phrase.vague)
    for run in phrase.modifiers:
        _quality(reading, phrase, run)
    if phrase.names:
        reading.ask(span_of(phrase.names), phrase, external=True)


def _count(reading: Reading, phrase: Phrase, number: Word) -> None:
    verb = "is" if number.value == 1 else "are"
    claim = f"there {verb} exactly {number.value} {reading.noun(phrase)}"
    reading.say(Type.COUNT, claim, number.value, span_of([number]), phrase)


def _quantity(reading: Reading, phrase: Phrase, vague: Word) -> None:
    """Note a number that is not said but told by other things: "several", "as many stars as a spider has legs"."""
    end, targets = phrase.start, [phrase]
    if reading.role(phrase.stop) == "m":
        end = phrase.stop + 1
    elif reading.role(phrase.stop) == "c" and (other := reading.phrase_after(phrase.stop)):
        end = other.stop
        targets += [other] if _is_unnumbered(reading, other) else []
    reading.ask(span_of([vague, *reading.words[phrase.start : end]]), *targets)


def _is_unnumbered(reading: Reading, phrase: Phrase) -> bool:
    """Return whether nothing says how many of a thing there are."""
    alike = [p for p in reading.phrases if p.id == phrase.id]
    return all(p.plural and p.number is None for p in alike)


def _quality(reading: Reading, phrase: Phrase, run: list[Word]) -> None:
    """Note a colour or another quality of a thing; of a setting it is part of the setting."""
    color = run[-1].color
    value = color or " ".join(w.text.lower() for w in run)
    verb = "are" if phrase.plural and phrase.id else "is"
    claim = f"{reading.the(phrase)} {verb} {value}"
    if phrase.setting is not None:
        reading.say(Type.SETTING, claim, value, span_of(run))
    else:
        aspect = "color" if color else "other"
        reading.say(Type.ATTRIBUTE, claim, value, span_of(run[-1:] if color else run), phrase, aspect=aspect)


def _loose_quality(reading: Reading, i: int) -> None:
    """Note an adjective outside a phrase: "the car is blue", "apples, red and shiny"."""
    if reading.role(i - 1) == "#":  # "two cats, one black": which of them is not said of all
        return
    run = [reading.words[i]]
    if reading.role(i - 1) == "a":
        run.insert(0, reading.words[i - 1])
    for subject in reading.subjects(i):
        _quality(reading, subject, run)


def _relation(reading: Reading, i: int) -> None:
    """Note a relation between things: "a cat on a chair"; words that are to be read get their surface instead."""
    word = reading.words[i]
    name = str(word.value)
    target = reading.phrase_after(i)
    if target is None and name in lexicon.BARE_SETTINGS:
        reading.say(Type.SETTING, f"the setting is {name}", lexicon.BARE_SETTINGS[name], span_of([word]))
    if target is None or target.id is None or (reading.role(i - 1) == "v" and name in {"at", "by"}):
        return
    if reading.role(i - 1) == "t" and _surface(reading, i - 1) is target:
        return
    if reading.words[target.start].tag == "PRP$":  # "in its trunk": whose is not known, and the owner is not in itself
        reading.ask(span_of([word, *reading.words[target.start : target.stop]]), target)
        return
    objects = [target]
    if name == "between" and reading.role(target.stop) == "&" and (other := reading.phrase_after(target.stop)):
        objects.append(other)
    for subject in reading.subjects(i, beside=target, settings=False):
        if subject.id not in {o.id for o in objects}:
            _relate(reading, subject, name, objects, span_of([word]))


def _relate(reading: Reading, subject: Phrase, name: str, objects: list[Phrase], span: Span) -> None:
    verb = "are" if subject.plural else "is"
    others = " and ".join(reading.the(o) for o in objects)
    said = lexicon.SAID.get(name, name)
    reading.say(Type.RELATION, f"{reading.the(subject)} {verb} {said} {others}", name, span, subject, *objects)


def _belonging(reading: Reading, i: int) -> None:
    """Note "a bowl of soup"."""
    whole, part = reading.phrase_before(i), reading.phrase_after(i)
    if whole is not None and part is not None and whole.id and part.id:
        claim = f"{reading.the(whole)} {'are' if whole.plural else 'is'} of {reading.the(part)}"
        reading.say(Type.RELATION, claim, "of", span_of([reading.words[i]]), whole, part)


def _owner(reading: Reading, i: int) -> None:
    """Note "the dog's tail"."""
    owner, owned = reading.phrase_before(i), reading.phrase_after(i)
    if owner is not None and owned is not None and owner.id and owned.id:
        claim = f"{reading.the(owned)} {'belong' if owned.plural else 'belongs'} to {reading.the(owner)}"
        reading.say(Type.RELATION, claim, "of", span_of([reading.words[i]]), owned, owner)


def _action(reading: Reading, i: int) -> None:
    """Note what a thing does: to another thing a relation ("holding"), else a quality ("sitting")."""
    said = [reading.words[j] for j in _with_adverbs(reading, i)]
    last = reading.words.index(said[-1])
    target = reading.phrase_after(last)
    if target is None and _links(reading, last):
        target = reading.phrase_after(last + 1)
        said = [*said, reading.words[last + 1]] if target is not None and target.id else said
    if target is not None and target.id is None:
        target = None
    value = " ".join(w.text.lower() for w in said)
    for subject in reading.subjects(i, beside=target):
        claim = f"{reading.the(subject)} {_auxiliary(reading.words[i], subject)}{value}"
        if subject.id is None:
            reading.say(Type.SETTING, claim, value, span_of(said))
        elif target is None or target.id == subject.id:
            reading.say(Type.ATTRIBUTE, claim, value, span_of(said), subject, aspect="other")
        else:
            reading.say(Type.RELATION, f"{claim} {reading.the(target)}", value, span_of(said), subject, target)


def _with_adverbs(reading: Reading, i: int) -> Iterator[int]:
    """Yield the indices of a verb and of the adverbs on both sides of it."""
    first, last = i, i
    while reading.role(first - 1) == "a":
        first -= 1
    while reading.role(last + 1) == "a":
        last += 1
    yield from range(first, last + 1)


def _links(reading: Reading, i: int) -> bool:
    """Return whether the word after `i` ties an action to its object: "looking at", "covered with"."""
    return reading.role(i + 1) in {"p", "o"} or (
        reading.role(i + 1) == "r" and reading.words[i + 1].value in {"at", "by"}
    )


def _auxiliary(verb: Word, subject: Phrase) -> str:
    if verb.tag not in {"VBG", "VBN"}:
        return "does " if verb.tag in {"VB", "VBP"} and not subject.plural else ""
    return "are " if subject.plural else "is "


def _text(reading: Reading, i: int) -> None:
    """Note words to be read, and the thing that carries them."""
    word = reading.words[i]
    surface = _surface(reading, i)
    on = f"{reading.the(surface)} reads" if surface else "the picture shows the words"
    targets = [surface] if surface else []
    reading.say(Type.TEXT, f'{on} "{word.value}"', word.value, span_of([word]), *targets)


def _surface(reading: Reading, i: int) -> Phrase | None:
    """Return the thing that carries the words: the one beside them, unless only an earlier one is a known surface."""
    before = reading.phrase_before(i)
    after = reading.phrase_after(i + 1) if reading.role(i + 1) == "r" else reading.phrase_after(i)
    near = [p for p in (before, after if before is None else None) if p is not None and p.id]
    earlier = [p for p in reversed(reading.phrases) if p.id and p.stop <= i and _is_surface(p)]
    return next((p for p in [*near, *earlier] if _is_surface(p)), near[0] if near else None)


def _is_surface(phrase: Phrase) -> bool:
    return phrase.noun.split()[-1] in lexicon.SURFACES


def _place(reading: Reading, i: int) -> None:
    """Note where in the picture a thing is."""
    word = reading.words[i]
    for subject in reading.subjects(i, settings=False):
        verb = "are" if subject.plural else "is"
        claim = f"{reading.the(subject)} {verb} in the {word.value} of the picture"
        reading.say(Type.SETTING, claim, word.value, span_of([word]), subject)


def _absent(reading: Reading, i: int) -> None:
    word = reading.words[i]
    reading.say(Type.ABSENCE, f"there is no {word.value}", word.value, span_of([word]))


def _style(reading: Reading, i: int) -> None:
    word = reading.words[i]
    reading.say(Type.STYLE, f"the style is {word.value}", word.value, span_of([word]))


def _setting(reading: Reading, i: int) -> None:
    """Note a setting that is said in one word: "underwater"."""
    word = reading.words[i]
    reading.say(Type.SETTING, f"the setting is {word.value}", word.value, span_of([word]))


def _shade(reading: Reading, i: int) -> None:
    """Note a colour that is told by another thing: "a car in the color of the sky"."""
    before = [p for p in reading.phrases if p.id and p.stop <= i]
    reading.ask(span_of([reading.words[i]]), *before[-1:], aspect="color")


def _nothing(reading: Reading, i: int) -> None:
    """Read nothing; what is left over becomes an unknown."""


def _is_negated(reading: Reading, i: int) -> bool:
    """Return whether "not" stands before the word or belongs to it: what is denied must not be promised."""
    near = [reading.words[j] for j in range(max(0, i - 2), i) if reading.phrase_at(j) is None]
    tied = [reading.words[c] for c in reading.words[i].children]
    return reading.words[i].role in "vMa" and any(w.role == "n" and w.value == "not" for w in [*near, *tied])


_READERS = {
    "M": _loose_quality,
    "h": _setting,
    "k": _shade,
    "r": _relation,
    "o": _belonging,
    "q": _owner,
    "v": _action,
    "t": _text,
    "l": _place,
    "x": _absent,
    "s": _style,
}
