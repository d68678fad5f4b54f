"""Label noise: records whose label the other records speak against.

A classifier that never saw a record, nor any record of its subject, says how probable each label is given
what was said. Where it is sure of another label than the record has, one of the two is wrong:

1. What was said (all turns but the system's) becomes hashed counts of words, pairs of words and runs of four
   letters within words, weighted by TF-IDF (Salton and Buckley 1988). Weights come from training records only.
2. Multinomial logistic regression gives out-of-fold probabilities: folds keep a subject's records together, so that
   nobody's own wording vouches for their labels, and keep the class shares. Up to :data:`SMALL` rows, the mean
   over :data:`ROUNDS` partitions. Evaluation records are judged by a model of all training records and teach
   nothing: what is dropped from training must not depend on them.
3. Confident learning (Northcutt, Jiang and Chuang 2021, JAIR 70, arXiv:1911.00068; by cleanlab) counts how often a
   record of label *j* confidently belongs to class *k*: the confident joint.
4. Regularised probabilities are too flat to be taken at their word. Their exponent β and the share ε of wrong labels
   are fitted together, by maximum likelihood of the labels under (1 - ε) p^β + ε (1 - p^β) / (K - 1), p^β being
   normalised over the K classes: temperature scaling (Guo et al. 2017, arXiv:1706.04599) under uniform noise.
5. *Doubt* is the probability that the label is wrong, by Bayes' rule from the sharpened probabilities and the noise
   rates; the rates are those of the confident joint, with :data:`PRIOR` rows a class of uniform noise ε added.

A record is listed from a doubt of :data:`LISTED`: its label is more likely wrong than right. On planted errors the
order finds more than lowest self-confidence at the same length, and the list is more precise than cleanlab's default;
where many labels of two classes are confused, that default finds a few more in a longer list
(``bench/measure_label_noise.py``). Doubts are estimates: count on one listed record in five being right as it is.
With fewer than some twenty rows a class little is listed, and little found. Copies of a wrong label under several
subjects vouch for one another: remove duplicates first.

Not judged, and never listed: records without a label, and records of a class that fewer subjects have than there
are folds. :func:`coverage` counts them. If out-of-fold predictions tell no more of the labels than class shares do,
nothing is judged, for then nothing was learned that could vouch for a label.
"""

import threading
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from assay.records import Dropped, Found, Record, Suspect, label_of, said
from assay.spec import LabelNoiseSpec

VERSION = 1

COLUMNS = 2**18
"""Of the hashed counts, for words and for letters each; columns that fewer than two training rows use are left out."""

INVERSE_PENALTY = 3.0
"""Scikit-learn's ``C``. Between 1 and 10 it hardly matters once probabilities are sharpened."""

STEPS = 15
"""Of L-BFGS; twice as many change next to nothing."""

ROUNDS = 3
"""Partitions into folds whose probabilities are averaged, for fewer false alarms."""

SMALL = 20_000
"""Rows above which one partition must do; there each fold has seen enough."""

PRIOR = 50.0
"""Rows of uniform noise added to each class of the confident joint, whose cells are small counts."""

CLEAN = 20.0
"""Rows known to be right that the share of wrong labels is fitted as if seen beside the others."""

LISTED = 0.5
STEP = "audit_labels"

_TWO = 2
_TINY = 1e-12
_LEARNED = 0.02
"""Share of the labels' entropy by which predictions must reduce their surprise, or nothing was learned."""

_ONE_AT_A_TIME = threading.Lock()
"""The number of threads is the process's, so two must not set it at once."""

Array = Any
"""Of numpy, or a sparse matrix of scipy."""


class Coverage(NamedTuple):
    """How many records are judged."""

    judged: int
    unlabelled: int
    rare: int
    """Of a class that too few subjects have for every fold to learn it."""


class _Rows(NamedTuple):
    """Labelled records, in the order of their ids."""

    ids: Array
    subjects: Array
    labels: Array
    locked: Array
    words: Array
    """Counts: rows x :data:`COLUMNS`."""

    letters: Array

    def where(self, chosen: Array) -> "_Rows":
        """Those that a mask or a list of numbers names, in its order."""
        return _Rows._make(column[chosen] for column in self)


class _Noise(NamedTuple):
    """How probabilities are to be read, and how wrong labels come about."""

    exponent: float
    rates: Array
    """True class x label: probability of the label given the class."""


def find(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str, spec: LabelNoiseSpec) -> Found:
    """Records whose label is more likely wrong than right, the most doubtful first.

    A suspect's ``doubt`` is the probability that its label is wrong, its ``suggestion`` the most probable other label.
    If ``spec.on_found`` is "drop", those of training leave instead of being listed; evaluation records are listed
    whatever it says. What comes out does not depend on the order of records. Word counts are held, and no text.
    """
    from threadpoolctl import threadpool_limits

    rows = _read(shards, is_evaluation, field)
    names = [] if rows is None else _classes(zip(rows.labels, rows.subjects, rows.locked, strict=True), spec.folds)
    if rows is None or len(names) < _TWO:
        return Found()
    numbers = {name: number for number, name in enumerate(names)}
    # On matrices of this size threads of BLAS cost far more than they give, and reorder sums.
    with _ONE_AT_A_TIME, threadpool_limits(1, user_api="blas"):
        suspects = _suspects(rows.where([label in numbers for label in rows.labels]), numbers, spec)
    drops = {s.id: s for s in suspects if spec.on_found == "drop" and not is_evaluation[s.id]}
    return Found(
        tuple(Dropped(s.id, STEP, f"label more likely wrong than right: {s.reason}") for s in drops.values()),
        tuple(s for s in suspects if s.id not in drops),
    )


def coverage(
    shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str, spec: LabelNoiseSpec
) -> Coverage:
    """How many records :func:`find` judges, and how many it cannot."""
    rows = [(label_of(r, field), r.subject, is_evaluation[r.id]) for shard in shards for r in shard]
    names = set(_classes(rows, spec.folds))
    unlabelled = sum(label is None for label, _, _ in rows)
    judged = sum(label in names for label, _, _ in rows) if len(names) >= _TWO else 0
    return Coverage(judged, unlabelled, len(rows) - unlabelled - judged)


def _classes(rows: Iterable[tuple[str | None, str, bool]], folds: int) -> list[str]:
    """Labels that at least ``folds`` subjects of training have."""
    pairs = {(str(label), str(subject)) for label, subject, locked in rows if label is not None and not locked}
    return sorted(label for label, subjects in Counter(label for label, _ in pairs).items() if subjects >= folds)


def _read(shards: Iterable[list[Record]], is_evaluation: Mapping[str, bool], field: str) -> _Rows | None:
    """Records that have a label, each shard's texts counted and let go; None if there are none."""
    import numpy as np
    from scipy import sparse

    counters = _counters()
    facts: list[tuple[str, str, str, bool]] = []
    parts: list[list[Array]] = []
    for shard in shards:
        labelled = [(record, label) for record in shard if (label := label_of(record, field)) is not None]
        if labelled:
            facts += [(r.id, r.subject, label, is_evaluation[r.id]) for r, label in labelled]
            parts.append([counter.transform([said(r) for r, _ in labelled]) for counter in counters])
    if not facts:
        return None
    ids, subjects, labels, locked = (np.array(column, dtype=object) for column in zip(*facts, strict=True))
    words, letters = (sparse.vstack(column, format="csr") for column in zip(*parts, strict=True))
    return _Rows(ids, subjects, labels, locked.astype(bool), words, letters).where(np.argsort(ids))


def _counters() -> tuple[Any, Any]:
    from sklearn.feature_extraction.text import HashingVectorizer

    plain: dict[str, Any] = {"n_features": COLUMNS, "norm": None, "alternate_sign": False, "dtype": "float32"}
    words = HashingVectorizer(ngram_range=(1, 2), **plain)
    return words, HashingVectorizer(analyzer="char_wb", ngram_range=(4, 4), **plain)


def _suspects(rows: _Rows, numbers: Mapping[str, int], spec: LabelNoiseSpec) -> list[Suspect]:
    """Those listed, of records that are all of classes in ``numbers``."""
    import numpy as np

    labels, learned = np.array([numbers[label] for label in rows.labels]), ~rows.locked
    features = _weighted((rows.words, rows.letters), learned)
    if features is None:
        return []
    taught, classes = features[learned], labels[learned]
    probabilities = np.empty((len(labels), len(numbers)))
    probabilities[learned] = _out_of_fold(taught, classes, rows.subjects[learned], spec)
    if rows.locked.any():
        probabilities[rows.locked] = _predicted(taught, classes, features[rows.locked], len(numbers))
    noise = _noise(probabilities[learned], classes)
    if noise is None:
        return []
    doubts, own, other, best = _judge(probabilities, labels, noise)
    names = list(numbers)
    listed = sorted(np.flatnonzero(doubts >= LISTED), key=lambda row: (-doubts[row], rows.ids[row]))
    return [
        Suspect(
            id=str(rows.ids[row]),
            kind="label_noise",
            doubt=float(doubts[row]),
            reason=f"out-of-fold probability {own[row]:.2f} of its own label, {other[row]:.2f} of another",
            suggestion=names[best[row]],
        )
        for row in listed
    ]


def _weighted(counts: Sequence[Array], learned: Array) -> Array | None:
    """TF-IDF, by the frequencies in training records, of the columns that at least two of them use; None if none is."""
    import numpy as np
    from scipy import sparse
    from sklearn.feature_extraction.text import TfidfTransformer

    used = [np.bincount(block[learned].indices, minlength=COLUMNS) >= _TWO for block in counts]
    narrow = [block[:, columns] for block, columns in zip(counts, used, strict=True) if columns.any()]
    weighted = [TfidfTransformer(sublinear_tf=True).fit(block[learned]).transform(block) for block in narrow]
    return sparse.hstack(weighted, format="csr") if weighted else None


def _out_of_fold(features: Array, labels: Array, subjects: Array, spec: LabelNoiseSpec) -> Array:
    """Probabilities of each class by models that saw no record of the subject: rows x classes."""
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    classes = labels.max() + 1
    rounds = ROUNDS if len(labels) <= SMALL else 1
    total = np.zeros((len(labels), classes))
    for number in range(rounds):
        folds = StratifiedGroupKFold(spec.folds, shuffle=True, random_state=spec.seed * ROUNDS + number)
        for rest, fold in folds.split(features, labels, subjects):
            total[fold] += _predicted(features[rest], labels[rest], features[fold], classes)
    return total / rounds


def _predicted(features: Array, labels: Array, asked: Array, classes: int) -> Array:
    """Probabilities of each class for ``asked``; 0 for a class that the fold did not teach."""
    import numpy as np
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # The steps are limited on purpose.
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=STEPS, tol=1e-6).fit(features, labels)
    probabilities = np.zeros((asked.shape[0], classes))
    probabilities[:, model.classes_] = model.predict_proba(asked)
    return probabilities


def _noise(probabilities: Array, labels: Array) -> _Noise | None:
    """How labels come about, given out-of-fold probabilities; None if these tell no more of them than class shares."""
    import numpy as np
    from cleanlab.count import compute_confident_joint

    exponent, share, surprise = _fitted(probabilities, labels)
    shares = np.bincount(labels) / len(labels)
    if surprise > (1 - _LEARNED) * -(shares * np.log(shares)).sum():
        return None
    classes = len(shares)
    uniform = np.full((classes, classes), share / (classes - 1))
    np.fill_diagonal(uniform, 1 - share)
    joint = compute_confident_joint(labels, probabilities, calibrate=False)
    rates = joint.T + PRIOR * uniform
    return _Noise(exponent, rates / rates.sum(axis=1, keepdims=True))


def _fitted(probabilities: Array, labels: Array) -> tuple[float, float, float]:
    """The exponent, the share of wrong labels, and the labels' mean surprise under them in nats."""
    import numpy as np
    from scipy.optimize import minimize
    from scipy.special import expit

    rows, others = np.arange(len(labels)), probabilities.shape[1] - 1

    def surprise(at: Array) -> float:
        own, share = _sharpened(probabilities, np.exp(at[0]))[rows, labels], expit(at[1]) / 2
        likely = np.log((1 - share) * own + share * (1 - own) / others + _TINY)
        return float(-(likely.sum() + CLEAN * np.log(1 - share)) / len(labels))

    best = minimize(surprise, (1.0, -3.0), method="Nelder-Mead")
    return float(np.exp(best.x[0])), float(expit(best.x[1]) / 2), float(best.fun)


def _sharpened(probabilities: Array, exponent: float) -> Array:
    import numpy as np
    from scipy.special import log_softmax

    return np.exp(log_softmax(exponent * np.log(probabilities + _TINY), axis=1))


def _judge(probabilities: Array, labels: Array, noise: _Noise) -> tuple[Array, Array, Array, Array]:
    """Of each row: doubt, probability of its own label and of the likeliest other one, and which that is."""
    import numpy as np

    rows = np.arange(len(labels))
    sharpened = _sharpened(probabilities, noise.exponent)
    weights = sharpened * noise.rates[:, labels].T
    own = weights[rows, labels].copy()
    weights[rows, labels] = 0
    doubts = np.round(weights.sum(axis=1) / (weights.sum(axis=1) + own), 4)
    best = weights.argmax(axis=1)
    return doubts, sharpened[rows, labels], sharpened[rows, best], best
