"""Chance is counted, and told from leaks by its size."""

import random

import numpy as np
import pytest

from assay.privacy.leaks.chance import Hit, Looked, judge, most, whole_numbers
from assay.privacy.leaks.searching import Search
from assay.privacy.leaks.values import Value


def test_whole_numbers_are_counted_by_length():
    """Those in words, and what stands behind a decimal point, are none."""
    text = b"12 345 a678 9b 0.4815 1234"
    digits = np.flatnonzero((np.frombuffer(text, np.uint8) - 48) < 10)

    assert whole_numbers(text, digits) == {2: 1, 3: 1, 1: 1, 4: 1}


@pytest.mark.parametrize(
    ("expected", "least", "largest"), [(0.02, 1, 1), (1, 4, 4), (20, 31, 31), (10_000, 10_230, 10_236)]
)
def test_the_most_that_chance_gives_is_a_quantile_of_poisson(expected, least, largest):
    """Beside scipy's, which is too heavy to be loaded for it."""
    from scipy.stats import poisson

    assert least <= most(expected) <= largest
    assert most(expected) == pytest.approx(poisson.ppf(0.99, expected), rel=0.01, abs=1)


def test_random_numbers_are_found_as_often_as_expected_and_are_no_leak():
    """A thousand numbers of six digits among a hundred thousand others."""
    dice = random.Random(7)
    values = [Value("ORDER_ID", str(dice.randrange(10**5, 10**6))) for _ in range(1000)]
    text = " ".join(str(dice.randrange(10**5, 10**6)) for _ in range(100_000)).encode()

    looked = Search(values).look([text])
    judged = judge([looked])

    assert judged.expected == pytest.approx(1000 * 100_000 / 900_000, rel=0.02)
    assert judged.leaks == {}
    assert len(judged.chance[0]) == pytest.approx(judged.expected, rel=0.35)


def test_random_letters_in_bytes_that_are_no_text_are_no_leak():
    """Weights hold every word of four letters, if there are enough of them."""
    dice = random.Random(3)
    names = sorted({"".join(dice.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(4)) for _ in range(4000)})
    weights = dice.randbytes(8_000_000)

    judged = judge([Search([Value("PERSON", name) for name in names]).look([weights])])

    assert judged.leaks == {}
    assert judged.expected > 1


def test_more_than_chance_gives_is_a_leak_and_so_is_what_chance_hardly_gives():
    """Twenty of two expected; one of none."""
    many = Looked(hits={Hit(n, ("digits", 6)) for n in range(20)}, expected={("digits", 6): 2.0})
    rare = Looked(hits={Hit(0, ("digits", 9))}, expected={("digits", 9): 0.001})
    few = Looked(hits={Hit(0, ("digits", 7)), Hit(1, None)}, expected={("digits", 7): 2.0})

    judged = judge([many, rare, few])

    assert judged.leaks == {0: set(range(20)), 1: {0}, 2: {1}}
    assert judged.chance == {2: {0}}


def test_a_name_in_text_is_never_put_down_to_chance():
    """Only numbers and bytes that are no text are."""
    looked = Search([Value("PERSON", "Zora")]).look([b"hello zora, " * 3])

    assert [hit.weak for hit in looked.hits] == [None]
