"""Frames: what a gate looks at, a row for each record or answer.

Columns are made from Arrow columns and not from row objects, and only those that are asked for: a suite says which it
reads. Every column is of Python objects, and a missing value is None, so one rule serves all shards whatever Arrow
would have made of an empty one.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from assay.errors import ExpectationError
from assay.outcomes import Answer

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

VERSION = 1  # Raise on any change that could change a cell.

KEY = "id"
RECORD = ("id", "subject", "source", "side", "prompt", "completion", "messages", "label")
TOKENS = ("input_ids", "labels", "prompt_tokens", "truncated")
KNOWN = "known"
ANSWER = ("id", "subject", "answer", "expected", "label", "predicted")

_FROM = {"prompt": ("context",), "messages": ("context", "completion"), "label": ("completion",)}
"""Fields of a record that a column is made of, if not of the one of its name."""


def of_records(  # noqa: PLR0913
    data: bytes | Sequence[bytes],
    label: str,
    *,
    side: str | None = None,
    tokens: bytes | Sequence[bytes] | None = None,
    raw: Mapping[str, tuple[str, ...]] | None = None,
    columns: Collection[str] | None = None,
) -> "pd.DataFrame":
    """One row per record: its identity, its text, and a column per attribute.

    Args:
        data: records as :func:`assay.records.to_parquet` writes them, or several such shards: one frame of many
            small ones takes half the time of many frames.
        label: field of the completion that column ``label`` holds.
        side: the side that the records are on; without it, the one that each is pinned to.
        tokens: Parquet with ``id``, ``input_ids``, ``labels`` (-100 for what is not learned), ``prompt_tokens`` and
            ``truncated``, a row for each record in the same order, in as many parts; adds these columns.
        raw: what the source knows of each row's subject, by row id; adds column ``known``, None where it says nothing.
        columns: those to make; all if None. One that is neither ours nor an attribute of a record is not made.

    Raises:
        ExpectationError: an attribute has the name of another column, or the tokens are of other rows.
    """
    wanted = _Wanted(columns)
    fields = {KEY, "attributes"} | {field for name in RECORD if name in wanted for field in _FROM.get(name, (name,))}
    table = _read(data, sorted(fields))
    ids = _objects(table["id"])
    found = {name: cells for name in RECORD if name in wanted and (cells := _column(table, name, label)) is not None}
    if side is not None and "side" in wanted:
        found["side"] = _filled(len(table), side)
    if tokens is not None:
        found |= _tokens(tokens, ids, wanted)
    if raw is not None and KNOWN in wanted:
        found[KNOWN] = _listed([raw.get(id) for id in ids])
    return _frame(found | _attributes(table["attributes"], wanted, (*RECORD, *TOKENS, KNOWN)))


def of_answers(answers: Sequence[Answer]) -> "pd.DataFrame":
    """One row per answer: what was said and expected, a column per score, and one per attribute.

    Raises:
        ExpectationError: a score or an attribute has the name of another column.
    """
    columns: dict[str, list[object]] = {
        "id": [answer.id for answer in answers],
        "subject": [answer.subject for answer in answers],
        "answer": [answer.answer for answer in answers],
        "expected": [answer.expected for answer in answers],
        "label": [answer.label_expected for answer in answers],
        "predicted": [answer.label_predicted for answer in answers],
    }
    scores = sorted({name for answer in answers for name in answer.scores})
    attributes = sorted({name for answer in answers for name in answer.attributes})
    _refuse_taken(scores, ANSWER)
    _refuse_taken(attributes, (*ANSWER, *scores))
    columns |= {name: [answer.scores.get(name) for answer in answers] for name in scores}
    columns |= {name: [answer.attributes.get(name) for answer in answers] for name in attributes}
    return _frame({name: _listed(cells) for name, cells in columns.items()})


class _Wanted:
    """Names that are asked for: all of them, or those listed."""

    def __init__(self, columns: Collection[str] | None) -> None:
        self._columns = None if columns is None else frozenset(columns)

    def __contains__(self, name: object) -> bool:
        return self._columns is None or name == KEY or name in self._columns


def _column(table: pa.Table, name: str, label: str) -> "np.ndarray | None":
    """Cells of a column of ours."""
    if name == "prompt":
        return _objects(_prompts(table["context"]))
    if name == "messages":
        return _messages(table["context"], table["completion"])
    if name == "label":
        return _labels(table["completion"], label)
    return _objects(table[name])


def _prompts(contexts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Turns joined by blank lines, as :attr:`assay.records.Record.prompt` has them."""
    parts = []
    for chunk in contexts.chunks:
        said = chunk.flatten().field("content")
        if pc.all(pc.equal(chunk.value_lengths(), 1)).as_py() and not chunk.null_count:
            parts.append(said)
        else:
            parts.append(pc.binary_join(pa.ListArray.from_arrays(_offsets(chunk), said), "\n\n"))
    return pa.chunked_array(parts, type=pa.string())


def _offsets(chunk: pa.ListArray) -> pa.Array:
    """Where each list starts in the flattened values, from 0 even if the array is a slice of another."""
    import numpy as np

    lengths = chunk.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    return pa.array(np.concatenate([[0], np.cumsum(lengths)]), type=pa.int32())


def _messages(contexts: pa.ChunkedArray, completions: pa.ChunkedArray) -> "np.ndarray":
    """The conversation with the answer as its last turn."""
    turns = contexts.combine_chunks() if contexts.num_chunks != 1 else contexts.chunk(0)
    said = turns.flatten()
    pairs = [
        {"role": role, "content": content}
        for role, content in zip(said.field("role").to_pylist(), said.field("content").to_pylist(), strict=True)
    ]
    ends = _offsets(turns).to_pylist()
    answers = [{"role": "assistant", "content": answer} for answer in completions.to_pylist()]
    return _listed([[*pairs[ends[row] : ends[row + 1]], answer] for row, answer in enumerate(answers)])


def _labels(completions: pa.ChunkedArray, label: str) -> "np.ndarray":
    """The label in each completion, as :func:`assay.records.label_of` tells it; each text is parsed once."""
    encoded = completions.combine_chunks().dictionary_encode()
    known = _listed([_label(text, label) for text in encoded.dictionary.to_pylist()] + [None])
    # The last one stands for a missing completion.
    return known[encoded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)]


def _label(completion: str, label: str) -> str | None:
    try:
        value = json.loads(completion)[label]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return value if isinstance(value, str) else None if value is None else json.dumps(value)


def _read(data: bytes | Sequence[bytes], columns: Sequence[str]) -> pa.Table:
    shards = [data] if isinstance(data, bytes) else data
    return pa.concat_tables(pq.ParquetFile(pa.BufferReader(shard)).read(columns, use_threads=False) for shard in shards)


def _tokens(data: bytes | Sequence[bytes], ids: "np.ndarray", wanted: _Wanted) -> "dict[str, np.ndarray]":
    """Columns of ``data``; what is learned stays an array of numbers, since lists would take ten times the room."""
    names = [name for name in TOKENS if name in wanted]
    table = _read(data, [KEY, *names])
    if table[KEY].to_pylist() != list(ids):
        raise ExpectationError("the tokens are of other rows than the records; expected the same in the same order")
    found: dict[str, np.ndarray] = {}
    for name in names:
        if pa.types.is_list(table[name].type):
            found[name] = _arrays(table[name])
        else:
            found[name] = _listed(table[name].to_pylist())
    return found


def _arrays(lists: pa.ChunkedArray) -> "np.ndarray":
    import numpy as np

    chunk = lists.combine_chunks()
    values = chunk.flatten().to_numpy(zero_copy_only=False)
    cells: np.ndarray = np.empty(len(chunk), dtype=object)
    ends = _offsets(chunk).to_numpy()
    for row in np.flatnonzero(chunk.is_valid().to_numpy(zero_copy_only=False)).tolist():
        cells[row] = values[ends[row] : ends[row + 1]]
    return cells


def _attributes(pairs: pa.ChunkedArray, wanted: _Wanted, taken: Sequence[str]) -> "dict[str, np.ndarray]":
    """A column for each attribute that a record has."""
    import numpy as np

    lists = pairs.combine_chunks()
    flat = lists.flatten()
    names = flat.field("type").dictionary_encode()
    present = sorted(names.dictionary.to_pylist())
    _refuse_taken(present, taken)
    rows, codes = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False), names.indices.to_numpy()
    cells = flat.field("value")
    found: dict[str, np.ndarray] = {}
    for code, name in enumerate(names.dictionary.to_pylist()):
        if name in wanted:
            places = codes == code
            found[name] = np.full(len(lists), None, dtype=object)
            found[name][rows[places]] = _repeated(cells.filter(pa.array(places)))
    return {name: found[name] for name in sorted(found)}


def _refuse_taken(names: Sequence[str], taken: Collection[str]) -> None:
    if both := sorted(set(names) & set(taken)):
        raise ExpectationError(f"attributes {both} have the names of columns of their own; rename them in the recipe")


def _objects(cells: pa.ChunkedArray | pa.Array) -> "np.ndarray":
    return cells.to_numpy() if isinstance(cells, pa.ChunkedArray) else cells.to_numpy(zero_copy_only=False)


def _repeated(cells: pa.Array) -> "np.ndarray":
    """A column in which values come again: one object for each value, which is less to make, hold and look at."""
    encoded = cells.dictionary_encode()
    # The last one stands for a missing value.
    values = _listed([*encoded.dictionary.to_pylist(), None])
    return values[encoded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]


def _listed(cells: Sequence[object]) -> "np.ndarray":
    """A column of ``cells`` as they are; a list in one stays a list."""
    import numpy as np

    return np.fromiter(cells, dtype=object, count=len(cells))


def _filled(rows: int, cell: object) -> "np.ndarray":
    import numpy as np

    return np.full(rows, cell, dtype=object)


def _frame(columns: "Mapping[str, np.ndarray]") -> "pd.DataFrame":
    import pandas as pd

    return pd.DataFrame(dict(columns), dtype=object, copy=False)
