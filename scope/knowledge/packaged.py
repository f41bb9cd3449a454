"""What is packaged: plain facts of the world, and the catalogue of what the pocket world can draw."""

from collections.abc import Iterator
from functools import cached_property

from scope.knowledge.index import Document, Index, build
from scope.knowledge.store import Store
from scope.protocols import Passage
from scope.specification import Source, sha256_of
from scope.worlds.facts import LICENCE, load_facts
from scope.worlds.pocket.catalogue import CONCEPTS


def load() -> "Packaged":
    """Return the packaged knowledge. It is embedded at the first search, and once."""
    return Packaged()


class Packaged:
    """Facts ("A spider has 8 legs.") and drawings ("A bike is a bicycle.")."""

    name = "packaged"
    version = "1"

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the passages nearest to a query, best first."""
        return self._index.search(query, count)

    @cached_property
    def _index(self) -> Index:
        passages = [*_facts(), *_drawings()]
        content = sha256_of([p.model_dump(mode="json") for p in passages])
        index, _ = build([Document("packaged", content, lambda: passages)], Store("packaged"))
        return index


def _facts() -> Iterator[Passage]:
    for fact in load_facts():
        yield _passage(fact.text, "facts", f"facts:{fact.subject}/{fact.relation}")


def _drawings() -> Iterator[Passage]:
    for concept in CONCEPTS.values():
        for alias in concept.aliases:
            yield _passage(f"{alias} is another word for {concept.noun}.", "drawings", f"drawings:{concept.noun}")


def _passage(text: str, title: str, locator: str) -> Passage:
    return Passage(text=text, source=Source(title=title, locator=locator, quote=text, licence=LICENCE), score=0.0)
