"""Sources: an organisation's rows, read as records without holding the set in memory.

JSON lines, CSV, Parquet, a folder written by ``datasets``, or a data set on a hub; local or at any
URL that fsspec opens. A row that cannot be read stops the run with the file and line; a row that
can be read but is bad is a matter for the raw suite.

A message that calls tools says so in JSON: the text of its calls, such as ``[{"id": "call_1", "type": "function",
"function": {"name": "refund", "arguments": "{…}"}}]``, stands as its content, or behind its content and a blank line.
Content in parts stands as their JSON text. What only ties messages together (:data:`TIES`) is not kept, and a message
that holds anything else is refused: what is not read would be lost without a word.

The subject of a row becomes a pseudonym, HMAC-SHA256 under the deployment's key (RFC 2104), and
one of 4,096 buckets by an unkeyed hash: enough to split by, too coarse to name anybody.
"""

import hashlib
import hmac
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import fsspec

from assay import lines
from assay.errors import SourceError
from assay.records import BUCKETS, Known, Record, Turn
from assay.spec import ColumnsSpec, SourceSpec

VERSION = 2

SHARD_ROWS = 200
"""Target rows of a shard: few enough that ten new rows cost little, enough to be worth a task."""

ROLES = {role: role for role in ("assistant", "system", "tool", "user")}
"""What a turn may be by; free text there would be neither redacted nor rendered safely."""

TIES = frozenset({"id", "name", "tool_call_id", "timestamp", "created_at", "weight"})
"""Of a message, beside its role and what it says: who or what it answers, when, and how much it counts."""

_FIRST = frozenset({"id", "type", "name"})

Row = Mapping[str, Any]


def locate(uri: str, folder: Path) -> str:
    """``uri`` made absolute: a relative path starts at ``folder``, anything with a scheme stays as it is."""
    if "://" in uri or uri.startswith(("hub:", "package:")) or Path(uri).is_absolute():
        return uri
    return str((folder / uri).resolve())


def digest(source: SourceSpec) -> str:
    """sha256 of the source's bytes; of the names and digests of its files if it is a folder; of a hub commit.

    Raises:
        SourceError: there is nothing at the URI.
    """
    if source.format == "hub":
        return hashlib.sha256(f"{source.uri}@{_hub_commit(source)}".encode()).hexdigest()
    try:
        fs, path = fsspec.core.url_to_fs(source.uri)
        if not fs.isdir(path):
            return _digest_of(fs, path)
        names = sorted(cast("list[str]", fs.find(path)))
        parts = "".join(f"{_digest_of(fs, name)}  {name.removeprefix(path)}\n" for name in names)
        return hashlib.sha256(parts.encode()).hexdigest()
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(_absent(source, error)) from None


def refuse_changed(source: SourceSpec) -> None:
    """Raise :class:`SourceError` if the source no longer is what its digest names: it grew while it was read."""
    if (found := digest(source)) != source.digest:
        raise SourceError(
            f"{source.name} ({source.uri}): found digest {found[:12]} after reading, {str(source.digest)[:12]} before; "
            "expected a source that stays as it is during a run. Run again when nobody writes it."
        )


def read(source: SourceSpec, key: bytes) -> Iterator[Record]:
    """Yield the records of ``source`` in order.

    Raises:
        SourceError: the source is absent, has no rows, lacks a column, or a row cannot be decoded.
    """
    seen: dict[bytes, int] = {}
    line = 0
    for line, row in _rows(source):
        if line == 1 or source.format == "jsonl":
            _require_columns(source, row, line)
        yield _record(source, row, line, key, seen)
    if line == 0:
        raise SourceError(
            f"{source.name} ({source.uri}): found no rows; expected at least one. Check the file and `format`."
        )


def pseudonym(subject: str, key: bytes) -> str:
    """Who a record is about, without saying who."""
    return hmac.new(key, subject.encode(), hashlib.sha256).hexdigest()[:32]


def bucket(subject: str) -> int:
    """Where ``subject`` falls among :data:`BUCKETS`, the same on every machine."""
    return int.from_bytes(hashlib.sha256(b"assay bucket:" + subject.encode()).digest()[:8]) % BUCKETS


def shards(records: Iterable[Record], rows: int) -> Iterator[list[Record]]:
    """Cut records into shards of about ``rows``, at boundaries that depend on the records themselves.

    A record whose id hashes to 0 modulo ``rows`` ends its shard (content-defined chunking, after
    Muthitacharoen et al. 2001), within a quarter and twice the target, so rows that are added or removed
    change the shards they are in and no others.

    Raises:
        SourceError: two records have one id.
    """
    part: list[Record] = []
    seen: set[str] = set()
    for row, record in enumerate(records, start=1):
        if record.id in seen:
            raise SourceError(
                f"{record.source}, row {row} of all: found an id that an earlier record has; expected ids that are "
                "unique over all sources. Mend the row, or name another column as `id`, or none."
            )
        seen.add(record.id)
        part.append(record)
        mark = int.from_bytes(hashlib.sha256(record.id.encode()).digest()[:8]) % rows == 0
        if (mark and len(part) >= rows // 4) or len(part) >= 2 * rows:
            yield part
            part = []
    if part:
        yield part


def _rows(source: SourceSpec) -> Iterator[tuple[int, Row]]:
    reader = {"jsonl": _jsonl, "csv": _csv, "parquet": _parquet, "datasets": _datasets, "hub": _hub}[source.format]
    try:
        yield from enumerate(reader(source), start=1)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{source.name} ({source.uri}): found bytes that are not UTF-8 ({error.reason}); expected UTF-8. "
            "Convert the file."
        ) from None
    except (OSError, EOFError, zlib.error, ValueError, ImportError) as error:
        raise SourceError(_absent(source, error)) from None


def _jsonl(source: SourceSpec) -> Iterator[Row]:
    with fsspec.open(source.uri, "rb", compression="infer") as file:
        for number, text in enumerate(lines.decoded(_named(source), file), start=1):
            yield lines.whole(_named(source), number, text)


def _csv(source: SourceSpec) -> Iterator[Row]:
    with fsspec.open(source.uri, "rb", compression="infer") as file:
        yield from lines.separated(_named(source), lines.decoded(_named(source), file))


def _named(source: SourceSpec) -> str:
    return f"{source.name} ({source.uri})"


def _parquet(source: SourceSpec) -> Iterator[Row]:
    import pyarrow.parquet as pq

    with fsspec.open(source.uri, "rb", compression="infer") as file:
        for batch in pq.ParquetFile(file).iter_batches(1024):
            yield from batch.to_pylist()


def _datasets(source: SourceSpec) -> Iterator[Row]:
    import datasets

    found = datasets.load_from_disk(source.uri)
    if isinstance(found, datasets.DatasetDict):
        raise SourceError(
            f"{source.name}: found a folder of splits ({', '.join(sorted(found))}) at {source.uri}; expected one. "
            "Name its folder in `uri`."
        )
    yield from found


def _hub(source: SourceSpec) -> Iterator[Row]:
    import datasets

    name, _, part = source.uri.removeprefix("hub:").partition(":")
    yield from datasets.load_dataset(name, split=part or "train", revision=_hub_commit(source), streaming=True)


def _hub_commit(source: SourceSpec) -> str:
    from huggingface_hub import HfApi

    name = source.uri.removeprefix("hub:").partition(":")[0]
    try:
        return str(HfApi().dataset_info(name, revision=source.revision).sha)
    except Exception as error:  # noqa: BLE001  # the hub client raises a dozen kinds
        raise SourceError(_absent(source, error)) from None


def _record(source: SourceSpec, row: Row, line: int, key: bytes, seen: dict[bytes, int]) -> Record:
    columns = source.columns
    subject = _text(row[columns.subject])
    if not subject.strip():
        raise SourceError(
            f"{source.name} ({source.uri}) row {line}: found no subject in `{columns.subject}`; expected who the "
            "record is about, since splitting and erasure go by it. Fill it in or remove the row."
        )
    context, completion = _conversation(source, row, line)
    return Record(
        id=_text(row[columns.id]) if columns.id else _own_id(source.name, row, seen),
        subject=pseudonym(subject, key),
        bucket=bucket(subject),
        source=source.name,
        side=source.side,
        context=context,
        completion=completion,
        attributes={name: _text(row[name]) for name in columns.attributes},
        known=tuple(Known(kind, _text(row[name])) for kind, name in columns.known_values.items() if row[name]),
    )


def _conversation(source: SourceSpec, row: Row, line: int) -> tuple[tuple[Turn, ...], str]:
    columns = source.columns
    if columns.prompt is not None:
        return (Turn("user", _text(row[columns.prompt])),), _text(row[str(columns.completion)])
    turns = row[str(columns.messages)]
    try:
        turns = json.loads(turns) if isinstance(turns, str) else turns
        said = [Turn(ROLES[turn["role"]], _content(turn)) for turn in turns]
    except (TypeError, KeyError, ValueError, RecursionError):
        raise SourceError(
            f"{source.name} ({source.uri}) row {line}: `{columns.messages}` is not a list of objects with `role` "
            f"(one of {', '.join(ROLES)}), `content` or `tool_calls`, and nothing else. Mend or remove the row."
        ) from None
    if not said or said[-1].role != "assistant":
        return tuple(said), ""
    return tuple(said[:-1]), said[-1].content


def _content(turn: Row) -> str:
    """What a message says, and the calls that it makes; raises ``KeyError`` if it says nothing or something unheard."""
    calls = turn.get("tool_calls") or ([turn["function_call"]] if turn.get("function_call") else None)
    unread = [
        name for name in turn if name not in {"role", "content", "tool_calls", "function_call", *TIES} and turn[name]
    ]
    if unread or (calls is None and "content" not in turn):
        raise KeyError
    content = _text(turn.get("content"))
    return "\n\n".join(
        filter(None, [content, json.dumps(_call(calls), ensure_ascii=False, default=str) if calls else ""])
    )


def _call(value: Any) -> Any:  # noqa: ANN401  # any JSON
    """Members in one order, what is called first; without those that are null, which Parquet adds where one lacks."""
    match value:
        case Mapping():
            names = sorted(value, key=lambda name: (name not in _FIRST, name))
            return {name: _call(value[name]) for name in names if value[name] is not None}
        case list() | tuple():
            return [_call(each) for each in value]
        case _:
            return value


def _own_id(source: str, row: Row, seen: dict[bytes, int]) -> str:
    """Of the source's name and the row's content; equal rows are told apart by their order."""
    name = hashlib.sha256(json.dumps([source, row], sort_keys=True, default=str).encode()).digest()[:16]
    seen[name] = seen.get(name, 0) + 1
    return name.hex() if seen[name] == 1 else f"{name.hex()}-{seen[name]}"


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _require_columns(source: SourceSpec, row: Row, line: int) -> None:
    if missing := [name for name in _wanted(source.columns) if name not in row]:
        raise SourceError(
            f"{source.name} ({source.uri}) row {line}: found no column {', '.join(map(repr, missing))} among "
            f"{len(row)}; expected every column that the recipe names. Mend `columns` in it, or the file's header."
        )


def _wanted(columns: ColumnsSpec) -> list[str]:
    single = (columns.messages, columns.prompt, columns.completion, columns.subject, columns.id)
    return list(dict.fromkeys([*filter(None, single), *columns.attributes, *columns.known_values.values()]))


def _digest_of(fs: Any, path: str) -> str:  # noqa: ANN401  # fsspec has no types
    with fs.open(path, "rb") as file:
        sha = hashlib.sha256()
        while piece := file.read(1 << 20):
            sha.update(piece)
    return sha.hexdigest()


def _absent(source: SourceSpec, error: Exception) -> str:
    found = "nothing" if isinstance(error, FileNotFoundError) else type(error).__name__
    return (
        f"{source.name}: found {found} at {source.uri}; expected a {source.format} source. "
        "Check `uri` and `format` in the recipe; a relative path starts at the recipe's folder."
    )
