"""Rows that share a value or have none, told over any number of shards for 16 bytes and an id a row."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

VERSION = 1  # Raise on any change that could change which rows are told.


class Distinct:
    """Rows seen so far, by a 128-bit digest (BLAKE2b) of their value."""

    def __init__(self) -> None:
        self._digests: list[np.ndarray] = []
        self._missing: list[np.ndarray] = []
        """Positions of the rows without a value."""

        self._rows = 0
        self._ids: list[Sequence[str]] = []

    def add(self, values: "Sequence[object] | pd.Series", ids: Sequence[str]) -> None:
        """Take in a shard: the value and the id of each row."""
        import numpy as np
        import pandas as pd
        import pyarrow as pa

        self._missing.append(np.flatnonzero(pd.Series(values, dtype=object).isna()) + self._rows)
        self._rows += len(ids)

        digests = b"".join(
            hashlib.blake2b(f"{type(value).__name__}:{value}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
            for value in values
        )
        self._digests.append(np.frombuffer(digests, dtype="V16"))
        self._ids.append(pa.array(ids, type=pa.large_string()))

    def repeated(self) -> list[str]:
        """Ids of the rows whose value another row has too, and of those without a value, in order."""
        import numpy as np
        import pyarrow as pa

        if not self._digests:
            return []
        pairs = np.concatenate(self._digests).view("<u8").reshape(-1, 2)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        pairs = pairs[order]
        same = (pairs[1:] == pairs[:-1]).all(axis=1)
        shared: np.ndarray = np.zeros(len(order), dtype=bool)
        shared[np.concatenate(self._missing)] = True
        shared[order[1:][same]] = True
        shared[order[:-1][same]] = True
        return pa.chunked_array(self._ids).filter(pa.array(shared)).to_pylist()
