"""Search by meaning: passages of documents, their vectors, and the nearest to a query by cosine.

The index is exact (faiss, inner product of unit vectors): a folder of ten thousand passages is searched in
milliseconds. faiss-gpu has the same functions; where it finds a GPU, the index lies there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import faiss
import numpy as np

from scope.knowledge.documents import Unreadable
from scope.knowledge.store import Store, Vectors
from scope.models.sentence_encoder import ENCODER, embed
from scope.protocols import Passage
from scope.specification import sha256_of

#: Part of every key: raise it when documents are read in another way.
FORMAT = 1
MAX_PASSAGES = 50_000  # of all documents


@dataclass(frozen=True)
class Document:
    """One file: `content` names all that its passages depend on; `read` gives them, or raises Unreadable."""

    name: str
    content: str
    read: Callable[[], list[Passage]]

    @property
    def key(self) -> str:
        """Return the name of its passages and vectors in the store."""
        return sha256_of([FORMAT, ENCODER, self.name, self.content])


class Index:
    """Passages and their unit vectors (n, 384)."""

    def __init__(self, passages: Sequence[Passage], vectors: Vectors) -> None:
        self.passages = tuple(passages)
        self._nearest: faiss.Index = faiss.IndexFlatIP(vectors.shape[1])
        if faiss.get_num_gpus() > 0:
            self._nearest = faiss.index_cpu_to_all_gpus(self._nearest)
        self._nearest.add(np.ascontiguousarray(vectors))

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the nearest passages, best first; of equals the earlier."""
        if not self.passages or count < 1:
            return []
        scores, places = self._nearest.search(embed([query]), min(count, len(self.passages)))
        found = sorted(zip(scores[0].tolist(), places[0].tolist(), strict=True), key=lambda pair: (-pair[0], pair[1]))
        return [self.passages[place].model_copy(update={"score": round(score, 4)}) for score, place in found]


def build(documents: Iterable[Document], store: Store) -> tuple[Index, list[str]]:
    """Return the index of documents, and what could not be read or had to be done again.

    Only a document that is new or has changed is read and embedded; what is stored of others is forgotten.
    """
    passages: list[Passage] = []
    vectors: list[Vectors] = [embed([])]
    keys, notes = [], []
    for document in documents:
        if len(passages) > MAX_PASSAGES:
            notes.append(f"more than {MAX_PASSAGES} passages; from {document.name} on nothing was read")
            break
        stored = store.get(document.key)
        try:
            found, placed = stored if stored is not None else _embedded(document, store)
        except Unreadable as error:
            notes.append(str(error))
            continue
        keys.append(document.key)
        passages += found
        vectors.append(placed)
    store.keep(keys)
    return Index(passages, np.concatenate(vectors)), notes + store.notes


def _embedded(document: Document, store: Store) -> tuple[list[Passage], Vectors]:
    passages = document.read()
    vectors = embed([f"{p.source.title}: {p.text}" for p in passages])
    store.put(document.key, passages, vectors)
    return passages, vectors
