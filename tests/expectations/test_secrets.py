"""A thousand rows with secrets in every column: whatever is asked of them, no output names one."""

import contextlib
import dataclasses
import logging
from pathlib import Path

import pandas as pd
import pytest

from assay.errors import ExpectationError
from assay.model import prompting, rows
from assay.outcomes import Answer
from assay.records import Record, Turn, to_parquet
from assay.spec import DOORWAYS
from expectations import frames
from expectations import suite as suites
from expectations.catalogue import CATALOGUE
from expectations.gate import check
from expectations.outcome import from_json, refuse_stopped, to_json
from expectations.suite import load
from tests.expectations.conftest import SCHEMA, suite

MARK = "ZQX"
"""Stands in every secret and nowhere else."""

ROWS = 1_000
NUMBER = 90_210_337
"""The secret that is a number."""


class Twins:
    """A finder that says that every text repeats."""

    def __init__(self):
        self._ids = []

    def add(self, texts, ids):  # noqa: ARG002
        """Take in texts."""
        self._ids += ids

    def ids(self):
        """All of them."""
        return self._ids


class Leaky(Twins):
    """A finder that breaks and quotes."""

    def ids(self):
        """Break."""
        raise ValueError(MARK)


class Quoting:
    """A cell that says its secret as soon as anybody looks at it."""

    def __str__(self):
        """Break."""
        raise ValueError(f"{MARK}-quoted")

    __repr__ = __hash__ = __eq__ = __lt__ = __len__ = __iter__ = __str__


RESOURCES = {"output": SCHEMA, "model_window": 2, "end_of_turn": [NUMBER + 1], "near_duplicates": Twins}


def said(number: int, column: str) -> str:
    """The secret in a cell."""
    return f"{MARK}-{column}-{number} {MARK.lower()}{number}@example.com +49 30 9018{number:04}"


def poisoned(number: int) -> Record:
    """A record that is a secret throughout, but for its id."""
    return Record(
        id=f"t-{number:04}",
        subject=said(number, "subject"),
        bucket=0,
        source=said(number, "source"),
        context=(Turn(f"{MARK}-role", said(number, "prompt")),),
        completion=f'{{"label": "{said(number % 7, "label")}"}}' if number % 3 else said(number, "completion"),
        attributes={
            name: said(number % 5, name) for name in ("licence", "channel", "region", "consent", "created", "given")
        },
    )


def framed() -> pd.DataFrame:
    """All of them, with tokens, and with what the source knows."""
    records = [poisoned(number) for number in range(ROWS)]
    encoded = prompting.Encoded((NUMBER, NUMBER, NUMBER), 1, truncated=False, fits=True)
    return frames.of_records(
        to_parquet(records),
        "label",
        side="train",
        tokens=rows.to_parquet([encoded] * ROWS, [record.id for record in records]),
        raw={record.id: (said(number, "prompt"),) for number, record in enumerate(records)},
    )


def answered() -> pd.DataFrame:
    """Answers that are secrets throughout."""
    return frames.of_answers(
        [
            Answer(
                id=f"t-{number:04}",
                subject=said(number, "subject"),
                expected=said(number, "expected"),
                answer=said(number, "answer"),
                scores={"format_adherence": float(NUMBER + number % 2 * NUMBER)},
                label_expected=said(number % 7, "label"),
                label_predicted=said(0, "predicted"),
                attributes={"channel": said(number % 5, "channel")},
            )
            for number in range(ROWS)
        ]
    )


ASKED = {
    "column_values_to_not_be_null": {},
    "column_values_to_not_be_blank": {},
    "column_values_to_be_in_set": {"value_set": ["a"]},
    "column_values_to_not_be_in_set": {"value_set": ["a"]},
    "column_values_to_match_regex": {"regex": "^a"},
    "column_values_to_not_match_regex": {"regex": "[0-9]"},
    "column_values_to_match_strftime_format": {"strftime_format": "%Y"},
    "column_value_lengths_to_be_between": {"min_value": 9_999},
    "column_word_counts_to_be_between": {"min_value": 9_999},
    "column_values_to_satisfy_json_schema": {"schema": "output"},
    "column_values_to_be_in_language": {"languages": ["eo"], "min_words": 1},
    "column_values_to_hold_no_personal_data": {},
    "column_values_to_hold_no_known_value": {"known": "known"},
    "column_timestamps_to_be_between": {"min_value": "2025-01-01T00:00:00Z"},
    "column_timestamps_to_not_precede": {"other": "given"},
    "column_consent_to_be_in_force": {"granted": ["a"], "given": "given"},
    "column_values_to_be_valid_chat": {},
    "column_token_counts_to_be_between": {"limit": "model_window"},
    "column_learned_tokens_to_exclude_prompt": {},
    "column_learned_tokens_to_include_end_of_turn": {"end_of_turn": "end_of_turn"},
    "column_examples_to_be_whole": {},
    "column_values_to_be_unique": {},
    "table_row_count_to_be_between": {"min_value": 9_999},
    "column_label_shares_to_be_between": {"max_value": 0, "value_set": ["a"]},
    "column_rates_to_be_even_across": {"passes": ["a"], "by": "region", "min_ratio": 1.0, "min_rows": 5},
    "column_near_duplicates_to_be_at_most": {"max_share": 0, "finder": "near_duplicates"},
}
"""Every expectation there is, with parameters that the secrets do not satisfy."""

COLUMNS = ("prompt", "label", "licence", "messages", "labels", "known", "subject")


def everything(column: str):
    """A suite that asks everything of one column."""
    return suite(
        *(
            {"expect": expect, "parameters": parameters, "on_fail": "warn"}
            | ({"column": column} if CATALOGUE[expect].column else {})
            for expect, parameters in ASKED.items()
            if column not in parameters.values()
        )
    )


def house(name: str):
    """A suite of the house."""
    return load((Path(suites.__file__).parent / f"{name}.yml").read_bytes(), name)


@pytest.fixture
def written(capsys, caplog):
    """Runs gates, and gathers all that they let out."""
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []

    def run(frame, asked, resources=RESOURCES):
        outcome = check([frame], asked, resources)
        texts.extend((to_json(outcome).decode(), repr(outcome), str(outcome)))
        assert from_json(to_json(outcome)) == outcome
        with contextlib.suppress(ExpectationError):
            try:
                refuse_stopped(outcome, "page")
            except ExpectationError as error:
                texts.extend((repr(error), str(error), str(error.__cause__), str(error.__context__)))
                raise
        return outcome

    def everything_said() -> str:
        return "\n".join([*texts, caplog.text, *capsys.readouterr()])

    return run, everything_said


def secrets_in(text: str) -> list[str]:
    """Lines that name one."""
    return [line for line in text.splitlines() if MARK in line.upper() or str(NUMBER) in line]


def test_every_expectation_is_asked_of_the_secrets():
    """What is added to the catalogue is added here."""
    assert set(ASKED) == set(CATALOGUE)


def test_no_expectation_over_any_column_names_a_secret(written):
    """Those that fail, and those that break off because the column is not what they are for."""
    run, everything_said = written
    frame, statuses = framed(), set()
    for column in COLUMNS:
        statuses |= {finding.status for finding in run(frame, everything(column)).findings}

    said = everything_said()
    assert statuses == {"passed", "failed", "could not run"}
    assert "t-0003" in said
    assert secrets_in(said) == []


def test_a_cell_that_breaks_whatever_looks_at_it_names_no_secret(written):
    """In texts, classes, groups, and what is compared with."""
    run, everything_said = written
    frame = framed().head(20)
    for column in ("prompt", "known", "region", "given"):
        frame[column] = pd.Series([Quoting() if i == 3 else cell for i, cell in enumerate(frame[column])], dtype=object)

    outcome = run(frame, everything("prompt"), RESOURCES | {"near_duplicates": Leaky})
    where = {"column": "prompt", "in": ["a", "b"]}
    matched = run(frame, suite({"expect": "column_values_to_not_be_null", "column": "label", "where": where}))

    assert (outcome.decision, matched.decision) == ("stop", "stop")
    assert "could not run" in {finding.status for finding in outcome.findings}
    assert secrets_in(everything_said()) == []


def test_the_suites_of_the_house_name_no_secret(written):
    """All five, over what they are for."""
    run, everything_said = written
    for name in DOORWAYS:
        frame = answered() if name == "predictions" else framed().assign(side=["train", "validation"] * (ROWS // 2))
        outcome = run(frame, house(name))
        # No secret is a label that counts as costly, so those are not compared.
        assert [f.id for f in outcome.findings if f.could_not_run] == ["CUR-031"] * (name == "curated"), name
        assert outcome.decision == "stop", name

    assert secrets_in(everything_said()) == []


def test_frames_that_are_refused_name_no_secret():
    """A name of an attribute is the recipe's; its value is the customer's."""
    record = dataclasses.replace(poisoned(1), attributes={"prompt": said(1, "prompt")})
    tokens = rows.to_parquet([prompting.Encoded((NUMBER,), 0, truncated=False, fits=True)], [f"{MARK}-other"])
    for call in (
        lambda: frames.of_records(to_parquet([record]), "label"),
        lambda: frames.of_records(to_parquet([poisoned(1)]), "label", tokens=tokens),
    ):
        with pytest.raises(ExpectationError) as caught:
            call()
        assert secrets_in(f"{caught.value!r} {caught.value.__cause__} {caught.value.__context__}") == []
