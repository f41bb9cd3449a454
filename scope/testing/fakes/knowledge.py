"""Knowledge of a few passages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from scope.protocols import Passage
from scope.specification import Source


@dataclass
class FakeKnowledge:
    """Finds its passages, in their order, whatever is searched for.

    A passage may be its text alone: then its locator is "name:number", counted from 1. `ranked` puts those first that
    share most words with the query; `raises` makes each search fail; `queries` keeps what was searched for.
    """

    passages: Sequence[Passage | str] = ()
    name: str = "fake"
    version: str = "1"
    ranked: bool = False
    raises: Exception | None = None
    queries: list[str] = field(default_factory=list)

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the first passages.

        Raises: `raises`, if there is one.
        """
        self.queries.append(query)
        if self.raises is not None:
            raise self.raises
        passages = [self._passage(number, passage) for number, passage in enumerate(self.passages, start=1)]
        if self.ranked:
            words = _words(query)
            passages.sort(key=lambda passage: -len(words & _words(passage.text)))
        return passages[:count]

    def _passage(self, number: int, passage: Passage | str) -> Passage:
        if isinstance(passage, Passage):
            return passage
        return Passage(text=passage, score=0.9, source=Source(title=self.name, locator=f"{self.name}:{number}"))


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"\w+", text.lower())}
