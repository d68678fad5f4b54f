"""What a model holds likely is read as one token at a time would read it, and alone as in company."""

import math

import pytest

from assay.errors import ModelError
from assay.evaluation import reading
from assay.evaluation.reading import Fork, log_likelihoods
from tests.assay.evaluation import lively

FORKS = [
    Fork("a", [1, 70, 71], [[72, 73, 74], [72, 75], [90]]),
    Fork("b", [1], [list(range(60, 140))]),
    Fork("c", list(range(100, 131)), [[80, 81], [82]]),
    Fork("d", [5, 6, 7, 8], [[9] * 40, [10]]),
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of two layers with lively weights."""
    return lively.load(tmp_path_factory.mktemp("tiny"))[0]


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_a_tail_is_worth_what_its_tokens_are_worth_one_at_a_time(model, batch_size):
    """Stems that are shared, padding and filling are ways to be quick, not to differ."""
    found = log_likelihoods(model, FORKS, batch_size)

    for fork, sums in zip(FORKS, found, strict=True):
        assert sums == pytest.approx([lively.naive(model, fork.stem, tail) for tail in fork.tails], abs=1e-3)


def test_a_fork_is_read_alone_as_in_company(model):
    """To the bit: its shape depends on itself alone, so a result that was filed can stand for a new one."""
    together = log_likelihoods(model, FORKS * 5, 4)

    for place, fork in enumerate(FORKS):
        assert log_likelihoods(model, [fork], 4) == [together[place]]


def test_no_fork_is_no_work(model):
    """Nothing was asked, so nothing is answered."""
    assert log_likelihoods(model, [], 4) == []


@pytest.mark.parametrize(
    ("fork", "message"),
    [
        (Fork("x", [], [[1]]), "item x has nothing to be read after or nothing to be read"),
        (Fork("x", [1], [[1], []]), "item x has nothing to be read after or nothing to be read"),
        (Fork("x", [1] * 200, [[1] * 57]), "item x has 257 tokens: the model's window is 256"),
    ],
)
def test_what_cannot_be_read_is_refused_by_its_id(model, fork, message):
    """Truncated, it would be another item."""
    with pytest.raises(ModelError, match=message):
        log_likelihoods(model, [*FORKS, fork], 4)


def test_tails_side_by_side_may_be_longer_together_than_the_window(model):
    """Each is counted in position as if it came alone."""
    fork = Fork("x", [1, 2], [[place, place + 1, *range(60, 150)] for place in (10, 20, 30)])

    assert all(math.isfinite(value) for value in log_likelihoods(model, [fork], 1)[0])


def test_what_is_known_is_not_read_again(model):
    """A larger file costs its new items only; what is computed is added, and forks that are equal are read once."""
    known: dict[str, str] = {}
    first = log_likelihoods(model, FORKS[:2], 4, known)
    told = dict(known)

    assert len(known) == 2
    known[reading.key(FORKS[0], 4)] = "[-1.5]"
    again = log_likelihoods(model, [FORKS[0], *FORKS, FORKS[3]], 4, known)
    assert again[0] == again[1] == [-1.5]
    assert again[2] == first[1]
    assert len(known) == 4
    assert told[reading.key(FORKS[1], 4)] == known[reading.key(FORKS[1], 4)]


def test_a_result_is_named_by_what_is_read_and_how_much_at_once():
    """Its id is only for messages."""
    fork = FORKS[0]

    assert reading.key(fork, 4) == reading.key(Fork("other", fork.stem, fork.tails), 4)
    assert len({reading.key(fork, 4), reading.key(fork, 8), reading.key(Fork("a", [1], fork.tails), 4)}) == 3


def test_a_model_attends_as_before_once_it_was_asked(model):
    """What was exchanged for speed is put back."""
    before = model.config._attn_implementation
    log_likelihoods(model, FORKS, 4)

    assert model.config._attn_implementation == before
