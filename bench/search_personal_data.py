"""Search everything that a run persisted for the gold personal values of its data.

    python -m bench.search_personal_data .assay recipes/support_triage/data/personal_data.jsonl

Prints how many values were looked for, in how many files and bytes, and the files that hold one; the shards of raw
records, which hold them by design, are counted apart. Compressed Parquet is searched decoded. A value is looked for as
whole words, so that a house number is not found in a digest; values under four characters are left out and counted.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

SHORTEST = 4


def main() -> int:
    """Search and print; the exit status is 1 if a value was found where none should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("gold", type=Path)
    options = parser.parse_args()
    gold = {row["value"] for row in map(json.loads, options.gold.read_text().splitlines())}
    wanted = {value for value in gold if len(value) >= SHORTEST}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as patterns:
        patterns.write("".join(f"{value}\n" for value in sorted(wanted) if "\n" not in value))
        patterns.flush()
        raw, seen, found, files, size = 0, set[bytes](), [], 0, 0
        for path in sorted(p for p in options.home.rglob("*") if p.is_file()):
            data, is_raw = content(path)
            raw += is_raw
            files += 1
            size += len(data)
            held = search(data, patterns.name)
            if is_raw:
                seen |= held
            elif held:
                found.append(f"{path.relative_to(options.home)}: {len(held)} values")
    print(f"{len(wanted)} values ({len(gold) - len(wanted)} shorter ones left out), {files} files, {size:,} bytes")
    print(f"{raw} files hold raw records, and {len(seen)} of the values: the search can see them")
    print(f"{len(found)} other files hold a value")
    for name in found:
        print(f"  {name}")
    return 1 if found else 0


def search(data: bytes, patterns: str) -> set[bytes]:
    """The values in ``data``, by grep: its automaton reads hundreds of megabytes a second whatever their number."""
    command = ["grep", "--text", "--fixed-strings", "--word-regexp", "--only-matching", "-f", patterns]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    return set(done.stdout.splitlines())


def content(path: Path) -> tuple[bytes, bool]:
    """A file's bytes, decoded if it is Parquet, and whether it holds raw records."""
    data = path.read_bytes()
    if data[:4] != b"PAR1":
        return data, False
    rows = pq.read_table(path).to_pylist()
    is_raw = any(row.get("known") for row in rows)
    return data + json.dumps(rows, ensure_ascii=False).encode(), is_raw


if __name__ == "__main__":
    sys.exit(main())
