"""Where passages and their vectors are kept, so that a file is read and embedded once: home()/knowledge/index.sqlite.

A row is one file, named by the sha256 of all that its passages depend on, and sealed by the sha256 of what it holds.
The store is a cache: whatever is wrong with it, the answer is to read the file again and to say so.
"""

import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scope.config import home
from scope.protocols import Passage
from scope.specification import canonical_json

Vectors = NDArray[np.float32]
Rows = list[Any]

_TABLE = "CREATE TABLE IF NOT EXISTS files (collection TEXT, key TEXT, passages TEXT, vectors BLOB, seal TEXT, "
_TABLE += "PRIMARY KEY (collection, key))"


class Store:
    """The files of one collection. `notes` says what had to be done again, and why."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        self.notes: list[str] = []
        self._path = home() / "knowledge" / "index.sqlite"

    def get(self, key: str) -> tuple[list[Passage], Vectors] | None:
        """Return what is stored of a file; None: nothing, or nothing that is whole."""

        def select(database: sqlite3.Connection) -> Rows:
            query = "SELECT passages, vectors, seal FROM files WHERE collection = ? AND key = ?"
            return database.execute(query, (self.collection, key)).fetchall()

        for text, data, seal in self._try(select):
            if isinstance(text, str) and isinstance(data, bytes) and seal == _seal(key, text, data):
                return [Passage.model_validate(p) for p in json.loads(text)], _array(data)
            self._note("a stored file was damaged; it was read again")
        return None

    def put(self, key: str, passages: Sequence[Passage], vectors: Vectors) -> None:
        """Store a file: all of it or nothing."""
        text, file = canonical_json([p.model_dump(mode="json") for p in passages]), io.BytesIO()
        np.save(file, vectors, allow_pickle=False)
        row = (self.collection, key, text, file.getvalue(), _seal(key, text, file.getvalue()))

        def insert(database: sqlite3.Connection) -> Rows:
            return database.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", row).fetchall()

        self._try(insert)

    def keep(self, keys: Sequence[str]) -> None:
        """Forget every file of this collection but these."""

        def delete(database: sqlite3.Connection) -> Rows:
            stored = database.execute("SELECT key FROM files WHERE collection = ?", (self.collection,)).fetchall()
            gone = [(self.collection, key) for (key,) in stored if key not in set(keys)]
            return database.executemany("DELETE FROM files WHERE collection = ? AND key = ?", gone).fetchall()

        self._try(delete)

    def _try(self, work: Callable[[sqlite3.Connection], Rows]) -> Rows:
        """Return what `work` on the database gives; where it fails, nothing, and a damaged database is thrown away."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._path)) as database, database:
                database.execute(_TABLE)
                return work(database)
        except (sqlite3.OperationalError, OSError) as error:  # full, locked, or not ours to write
            self._note(f"the index of knowledge could not be used ({error}); files are read each time")
        except sqlite3.DatabaseError as error:
            self._path.unlink(missing_ok=True)
            self._note(f"the index of knowledge was damaged ({error}); it is built anew")
        return []

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def _seal(key: str, text: str, data: bytes) -> str:
    return hashlib.sha256(b"\0".join((key.encode(), text.encode(), data))).hexdigest()


def _array(data: bytes) -> Vectors:
    array: Vectors = np.load(io.BytesIO(data), allow_pickle=False)
    return array
