"""Things that were right, changed anywhere and in many ways: for whatever reads what others wrote."""

import json
import random
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

#: What stands where something else was expected.
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 20, 10**30, 0.5, "", "e1", "u1", "c9", "red", "count", "grounded", "\x00", "\ud800",
    "🎈" * 50, [], {}, [[]], ["e1", "e1"], {"answer": {}}, {"words": "a gun", "facts": []}, "a\nb", "9" * 5000,
)  # fmt: skip


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (container, key) inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


def deformed(value: Any, chance: random.Random) -> Any:
    """Return a copy of plain JSON with one to three things in it replaced, removed, doubled, added or renamed."""
    copy = {"": json.loads(json.dumps(value))}
    for _ in range(chance.randint(1, 3)):
        spots = list(_places(copy))
        if not spots:
            break
        inside, key = chance.choice(spots)
        match chance.randrange(6):
            case 0 if inside is not copy:
                del inside[key]
            case 1 if isinstance(inside, list):
                inside.insert(chance.randrange(len(inside) + 1), inside[key])
            case 2 if isinstance(inside, dict) and inside is not copy:
                inside[chance.choice(["", "id", "extra", key + "s"])] = inside.pop(key)
            case 3:
                other, from_ = chance.choice(spots)  # something that is right elsewhere
                inside[key] = json.loads(json.dumps(other[from_]))
            case _:
                inside[key] = deepcopy(chance.choice(ODD))  # or it would be changed in its turn
    return copy[""]


def scrambled(data: bytes, chance: random.Random) -> bytes:
    """Return bytes with a piece of them cut, doubled, replaced or put elsewhere."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice([1, 1, 2, 8, 64]))
        piece = chance.choice(
            [b"", data[start:end] * 2, chance.randbytes(end - start), b"{", b"}", b'"', b"\n- ", b"\xff"]
        )
        to = chance.choice([start, chance.randrange(len(data) + 1)])
        data = data[:to] + piece + data[end if to == start else to :]
    return data
