"""Rows that share a value or have none, told over any number of shards for 16 bytes and an id a row.

A value that is its row's id needs no digest: the ids are kept anyway, and are compared as they are.
"""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

VERSION = 1  # Raise on any change that could change which rows are told.


class Distinct:
    """Rows seen so far, by a 128-bit digest (BLAKE2b) of their value."""

    def __init__(self) -> None:
        self._digests: list[np.ndarray | None] = []
        self._missing: list[np.ndarray] = []
        """Positions of the rows without a value."""

        self._rows = 0
        self._ids: list[pa.Array] = []

    def add(self, values: "Sequence[object] | pd.Series", ids: Sequence[str]) -> None:
        """Take in a shard: the value and the id of each row."""
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        cells = pd.Series(values, dtype=object)
        self._missing.append(np.flatnonzero(cells.isna()) + self._rows)
        self._rows += len(ids)
        self._digests.append(None if cells.tolist() == list(ids) else _digests(values))
        self._ids.append(pa.array(ids, type=pa.large_string()))

    def repeated(self) -> list[str]:
        """Ids of the rows whose value another row has too, and of those without a value, in order."""
        import numpy as np
        import pyarrow as pa

        if not self._digests:
            return []
        ids = pa.chunked_array(self._ids)
        shared = _shared_ids(ids) if all(digests is None for digests in self._digests) else self._shared()
        shared[np.concatenate(self._missing)] = True
        return ids.filter(pa.array(shared)).to_pylist()

    def _shared(self) -> "np.ndarray":
        import numpy as np

        told = [
            _digests(ids.to_pylist()) if digests is None else digests
            for digests, ids in zip(self._digests, self._ids, strict=True)
        ]
        pairs = np.concatenate(told).view("<u8").reshape(-1, 2)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs = pairs[order]
        same = (pairs[1:] == pairs[:-1]).all(axis=1)
        shared: np.ndarray = np.zeros(len(order), dtype=bool)
        shared[order[1:][same]] = True
        shared[order[:-1][same]] = True
        return shared


def _digests(values: "Sequence[object] | pd.Series") -> "np.ndarray":
    import numpy as np

    digests = b"".join(
        hashlib.blake2b(f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        for value in values
    )
    return np.frombuffer(digests, dtype="V16")


def _shared_ids(ids: "pa.ChunkedArray") -> "np.ndarray":
    import numpy as np

    places = np.concatenate([chunk.indices.to_numpy() for chunk in ids.dictionary_encode().chunks])
    return (np.bincount(places) > 1)[places]
