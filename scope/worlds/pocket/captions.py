"""Plans in words, with the characters that carry each entity."""

from dataclasses import dataclass

from scope.text import article, number_words
from scope.worlds.pocket.catalogue import CONCEPTS, RELATIONS, SETTINGS, STYLES
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.rng import Rng, pick


@dataclass(frozen=True)
class Caption:
    """Words for a plan. `spans` are (start, end, group) with groups 1, 2, ...; the sign is the last group."""

    text: str
    spans: tuple[tuple[int, int, int], ...]
    quoted: tuple[str, ...] = ()


def noun_phrase(group: Group, rng: Rng | None = None) -> tuple[str, str]:
    """Return (article or "", words): ("a", "red apple"), ("", "two red apples"). A `random` may write digits."""
    noun = CONCEPTS[group.noun].noun if group.count == 1 else CONCEPTS[group.noun].plural
    words = f"{group.color} {noun}" if group.color else noun
    if group.count > 1:
        digits = rng is not None and rng.random() < 0.2
        return "", f"{group.count if digits else number_words(group.count)} {words}"
    return article(words), words


class _Writer:
    """Appends words and remembers which characters belong to which group."""

    def __init__(self) -> None:
        self.text = ""
        self.spans: list[tuple[int, int, int]] = []

    def add(self, words: str, group: int = 0) -> None:
        if words:
            self.text += " " if self.text and not words.startswith(",") else ""
            if group:
                self.spans.append((len(self.text), len(self.text) + len(words), group))
            self.text += words


def caption(plan: Plan, rng: Rng) -> Caption:
    """Word a plan in one of several ways."""
    writer = _Writer()
    setting, setting_first = pick(rng, SETTINGS[plan.setting]), rng.random() < 0.15
    opening, ending = _style(plan.style, rng)
    writer.add(opening or ("a photo of" if not ending and rng.random() < 0.15 else ""))
    if setting_first and not writer.text:
        writer.add(setting)
        writer.add("," if setting else "")
    for index, group in enumerate(plan.groups):
        if index:
            writer.add(pick(rng, RELATIONS[plan.relation]) if plan.relation and index == 1 else "and")
        words_before, words = noun_phrase(group, rng)
        writer.add(words_before)
        writer.add(words, index + 1)
    if setting and setting not in writer.text:
        writer.add(setting)
    for noun in plan.absent:
        writer.add(pick(rng, ("with no", "without", ", with no")))
        writer.add(CONCEPTS[noun].plural)
    if plan.text is not None:
        # "between two cats and a sign" would put it between other things.
        writer.add(", with a" if plan.relation == "between" else pick(rng, (", with a", "and a")))
        introduction = pick(rng, ("that says", "with the word"))
        writer.add(f'sign {introduction} "{plan.text}"', len(plan.groups) + 1)
    writer.add(ending)
    return Caption(writer.text, tuple(writer.spans), (plan.text,) if plan.text else ())


def _style(style: str, rng: Rng) -> tuple[str, str]:
    """Return the words for a style that open a caption, or those that end it; Noto's has none."""
    if style not in STYLES:
        return "", ""
    if rng.random() < 0.5:
        return pick(rng, STYLES[style].openings), ""
    return "", pick(rng, STYLES[style].endings)
