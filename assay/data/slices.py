"""Slices: whether labels come about alike for every value of an attribute, such as a channel or a region.

For each value, its records and the rate of each label among them. Three numbers sum them up:

- *ratio*: a label's lowest rate among the values over its highest, for the label where that is smallest. Under 0.8 it
  deserves an explanation (the four-fifths rule; 29 CFR 1607.4 D). Only values with at least ``min_rows`` records are
  compared, and only labels of which chance would give each of these at least :data:`EXPECTED` records.
  Of many labels one is far under 0.8 by chance: read it with its own p, corrected for their number (Bonferroni).
- *Cramér's V*, corrected for bias (Bergsma 2013, doi:10.1016/j.jkss.2012.10.002): 0, no association between the
  attribute and the label, to 1.
- *p*, of Pearson's chi-squared test that there is none; not corrected for the number of attributes.

Tests take records to be independent: with several records a subject, their p is too small.

A difference is no proof of bias: two regions may really ask for different things. It says where to look.

Values and labels that fewer than five subjects have, however many records these have, and those longer than a name are
counted together and not named (:mod:`assay.data.naming`), so that nobody is singled out. They are not compared.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from assay.data.naming import Holders
from assay.records import Record, label_of

VERSION = 1

EXPECTED = 5
"""Records of a label that a value must have if there were no association, for the label's rates to be compared."""


class Part(BaseModel):
    """Frozen, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Value(Part):
    """The records of one value of the attribute."""

    name: str
    rows: int
    compared: bool
    """Whether it has enough records, and stands for one value."""

    rates: tuple[tuple[str, float], ...]
    """Label and its share of ``rows``; every label of the slice, in its order."""


class Slice(Part):
    """How far the labels of records differ between the values of an attribute."""

    attribute: str
    n: int
    """Records that have both a value and a label."""

    labels: tuple[tuple[str, int], ...]
    """Label and its records, the most frequent first; those that are too rare to be named come last, together."""

    table: tuple[Value, ...]
    """The most frequent first; those that are too rare to be named come last, together."""

    ratio: float | None = None
    """None if fewer than two values, or no label, can be compared."""

    label_of_ratio: str | None = None
    p_value_of_ratio: float | None = None
    """Of this label's rates being the same for all values compared, times the number of labels compared."""

    cramers_v: float | None = None
    """None if fewer than two values, or two labels, can be compared."""

    p_value: float | None = None

    @property
    def values(self) -> tuple[tuple[str, int], ...]:
        """Value and its records."""
        return tuple((value.name, value.rows) for value in self.table)


def describe(
    shards: Iterable[list[Record]], attributes: Sequence[str], field: str, min_rows: int = 30
) -> tuple[Slice, ...]:
    """One slice for each of ``attributes``, in their order, in one pass; records without a value or label are left out.

    Args:
        shards: Of records on any side.
        attributes: Names of attributes.
        field: Of the completion's JSON object that holds the label.
        min_rows: Records from which a value is compared.
    """
    pairs: dict[str, Counter[tuple[str, str]]] = {attribute: Counter() for attribute in attributes}
    named = {attribute: (Holders(), Holders()) for attribute in attributes}
    for record in (record for shard in shards for record in shard):
        label = label_of(record, field)
        for attribute, counts in pairs.items():
            if label and (value := record.attributes.get(attribute)):
                counts[value, label] += 1
                for name, holders in zip((value, label), named[attribute], strict=True):
                    holders.add(name, record.subject)
    return tuple(compare(attribute, counts, named[attribute], min_rows) for attribute, counts in pairs.items())


def compare(
    attribute: str,
    pairs: Mapping[tuple[str, str], int],
    named: tuple[Container[str], Container[str]],
    min_rows: int = 30,
) -> Slice:
    """The slice of ``attribute``, given the records of each pair of value and label, and which of each may be named."""
    folded = _folded(pairs, named)
    values, labels = (_totals(folded, place) for place in (0, 1))
    table = tuple(_value(name, rows, labels, folded, min_rows) for name, rows in values.items())
    compared = [value.name for value in table if value.compared]
    strength, p_value = association([[folded[value, label] for label in labels] for value in compared])
    ratio, label_of_ratio, p_value_of_ratio = _ratio([value for value in table if value.compared], labels)
    return Slice(
        attribute=attribute,
        n=sum(values.values()),
        labels=tuple((_shown(name), rows) for name, rows in labels.items()),
        table=table,
        ratio=ratio,
        label_of_ratio=label_of_ratio,
        p_value_of_ratio=p_value_of_ratio,
        cramers_v=strength,
        p_value=p_value,
    )


def association(table: Sequence[Sequence[int]]) -> tuple[float | None, float | None]:
    """Cramér's V with Bergsma's correction, and the p-value; None for both if fewer than two rows or columns are used.

    With φ² = χ² / n, r rows and c columns: φ̃² = max(0, φ² - (r - 1)(c - 1) / (n - 1)), r̃ = r - (r - 1)² / (n - 1), c̃
    likewise, V = √(φ̃² / min(r̃ - 1, c̃ - 1)).
    """
    from scipy.stats import chi2_contingency

    used = [column for column in zip(*table, strict=True) if any(column)]
    rows = [row for row in zip(*used, strict=True) if any(row)]
    if min(len(rows), len(used)) < 2:  # noqa: PLR2004  # Less than two by two is no table.
        return None, None
    tested = chi2_contingency(rows, correction=False)
    r, c, n = len(rows), len(used), sum(map(sum, rows))
    phi = max(0.0, float(tested.statistic) / n - (r - 1) * (c - 1) / (n - 1))
    least = min(side - (side - 1) ** 2 / (n - 1) for side in (r, c)) - 1
    return (min(1.0, (phi / least) ** 0.5) if least > 0 else None), float(tested.pvalue)


def _folded(
    pairs: Mapping[tuple[str, str], int], named: tuple[Container[str], Container[str]]
) -> Counter[tuple[str | int, str | int]]:
    """``pairs`` with one name for all values that are not named, and one for all labels: how many these are."""
    rare = [{pair[place] for pair in pairs if pair[place] not in known} for place, known in enumerate(named)]
    folded: Counter[tuple[str | int, str | int]] = Counter()
    for (value, label), rows in pairs.items():
        key = (len(rare[0]) if value in rare[0] else value, len(rare[1]) if label in rare[1] else label)
        folded[key] += rows
    return folded


def _totals(folded: Counter[tuple[str | int, str | int]], place: int) -> dict[str | int, int]:
    """Records of each name, the most frequent first; those not named come last."""
    total: Counter[str | int] = Counter()
    for pair, rows in folded.items():
        total[pair[place]] += rows
    return dict(sorted(total.items(), key=lambda item: (isinstance(item[0], int), -item[1], str(item[0]))))


def _value(
    name: str | int,
    rows: int,
    labels: Mapping[str | int, int],
    folded: Counter[tuple[str | int, str | int]],
    min_rows: int,
) -> Value:
    rates = tuple((_shown(label), folded[name, label] / rows) for label in labels)
    return Value(name=_shown(name), rows=rows, compared=isinstance(name, str) and rows >= min_rows, rates=rates)


def _ratio(values: Sequence[Value], labels: Mapping[str | int, int]) -> tuple[float | None, str | None, float | None]:
    """The smallest ratio of lowest to highest rate, its label (of equal ones the more frequent), and its p-value."""
    if len(values) < 2:  # noqa: PLR2004  # There is nothing to compare one value with.
        return None, None, None
    sizes = [value.rows for value in values]
    found: list[tuple[float, str, list[int]]] = []
    for place, label in enumerate(labels):
        counts = [round(value.rates[place][1] * value.rows) for value in values]
        if isinstance(label, str) and sum(counts) / sum(sizes) * min(sizes) >= EXPECTED:
            rates = [count / size for count, size in zip(counts, sizes, strict=True)]
            found.append((min(rates) / max(rates), label, counts))
    if not found:
        return None, None, None
    ratio, label, counts = min(found, key=lambda item: item[0])
    _, p = association([[count, size - count] for count, size in zip(counts, sizes, strict=True)])
    return ratio, label, 1.0 if p is None else min(1.0, p * len(found))


def _shown(name: str | int) -> str:
    return name if isinstance(name, str) else f"other ({name} value{'s' if name > 1 else ''})"
