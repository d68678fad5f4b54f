"""Writes the benchmark: `python -m bench.generate_general_ability --out FILE [--seed 11]`."""

import argparse
import collections
import pathlib

from bench.generate_general_ability.assembly import items


def main() -> None:
    """Write the items and print how many there are of each kind."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate_general_ability", description=__doc__)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="the JSON Lines file to write")
    parser.add_argument("--seed", type=int, default=11, help="seed of the generated groups and of the order")
    arguments = parser.parse_args()
    written = items(arguments.seed)
    arguments.out.write_text("".join(f"{item.line()}\n" for item in written), encoding="utf-8", newline="\n")
    kinds = collections.Counter(item.kind for item in written)
    groups = len({item.group for item in written})
    print(f"{len(written)} items in {groups} groups: " + ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items())))


if __name__ == "__main__":
    main()
