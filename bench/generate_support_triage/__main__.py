"""Write the four files of the support triage recipe and print what is in them."""

import argparse
from pathlib import Path

from bench.generate_support_triage.corpus import generate


def main() -> None:
    """Parse the arguments, draw the corpus, write it."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate_support_triage", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the four files")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tickets", type=int, default=1_000, help="rows before planted flaws (default 1000)")
    parser.add_argument("--heldout", type=int, default=322, help="held-out rows (default 322)")
    parser.add_argument("--flip-rate", type=float, default=0.025, help="share of tickets with a wrong intent")
    given = parser.parse_args()
    corpus = generate(given.seed, given.tickets, given.heldout, given.flip_rate)
    given.out.mkdir(parents=True, exist_ok=True)
    for name, content in corpus.files.items():
        (given.out / name).write_bytes(content)
    print(corpus.table)


if __name__ == "__main__":
    main()
