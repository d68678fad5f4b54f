"""What a training run shows is said as it is: overfitted or not, fallen back or not, and what was not recorded."""

import re

import pytest

from assay.reporting import pages
from assay.reporting.learning import NOT_HELD_OUT, repeatable, shown, standing
from tests.assay.reporting.trainings import HELD_OUT, ROSE, bare, trained

RECIPE = {"max_length": 256, "selection": {"patience": 2}}
FALLING = ((0, 2.6), (22, 0.4), (44, 0.2), (66, 0.1))


def notes(**changed) -> dict[str, str]:
    """Of a run, by their names."""
    return dict(shown(trained(**changed), RECIPE, None).notes)


@pytest.mark.parametrize(
    ("held_out", "kept", "word", "says"),
    [
        (HELD_OUT, 66, "not overfitted", "did not rise again"),
        (FALLING, 66, "not overfitted", "still falling at the end, from 0.2 to 0.1: more epochs may help"),
        (ROSE, 66, "overfitted", "lowest with 0.2 at step 44, and is 0.3 in the weights that were kept"),
        (ROSE, 44, "not overfitted", "went on into overfitting, up to 0.3; what was kept is of before"),
        (((0, 2.6), (22, 3.0), (44, 3.1), (66, 3.2)), 66, "nothing carried over", "no better than those of the start"),
        (ROSE, 0, "nothing carried over", "no better than those of the start: 2.6"),
        ((), 66, "not known", NOT_HELD_OUT),
        (((0, 2.6),), 66, "not known", NOT_HELD_OUT),
    ],
)
def test_overfitting_is_a_held_out_loss_that_rose_again(held_out, kept, word, says):
    """Judged by the weights that were kept, for what came after them is not used."""
    found = standing(trained(held_out, kept))

    assert (found.word, says in found.said) == (word, True), found.said


def test_the_gap_is_between_the_kept_weights_and_the_batches_they_saw_last():
    """Batches between the last two measurements; replay in them is said, as held-out records have none."""
    found = standing(trained(losses=[[30, 9.0], [50, 0.1], [60, 0.3], [70, 9.0]], replayed=9))

    assert "0.2 on the batches last learned from, 0.195 on held-out records, a gap of \u22120.005." in found.said
    assert "replayed examples too" in found.said


def test_each_checkpoint_has_its_gap_and_the_one_that_was_kept_is_marked():
    """Held-out loss less that of the training batches just before; unknown in a record of before it was filed."""
    measured = [{"step": at, "held_out_loss": loss, "train_loss": loss / 2} for at, loss in ROSE]
    run = trained(ROSE, 44, measurements=measured)

    found = shown(run, RECIPE, None).checkpoints

    assert [(each.step, each.is_kept) for each in found] == [(0, False), (22, False), (44, True), (66, False)]
    assert [each.gap for each in found] == pytest.approx([1.3, 0.2, 0.1, 0.15])
    assert "0.1 on the batches last learned from, 0.2 on held-out records, a gap of 0.1." in standing(run).said
    assert [each.gap for each in shown(trained(), RECIPE, None).checkpoints] == [None] * 4


def test_the_gaps_stand_in_a_table_if_they_are_known():
    """With the kept weights named."""
    page = pages._environment().from_string("{% import 'training.html.j2' as t %}{{ t.learned(training, learning) }}")
    measured = [{"step": at, "held_out_loss": loss, "train_loss": loss / 2} for at, loss in ROSE]
    run, old = trained(ROSE, 44, measurements=measured), trained()

    told, bare_one = (page.render(training=each, learning=shown(each, RECIPE, None)) for each in (run, old))

    assert re.findall(r'data-label="Gap"[^>]*><span>([^<]*)', told) == ["+1.3", "+0.2", "+0.1", "+0.15"]
    assert "<small>kept</small>" in told
    assert "Gap" not in bare_one


def test_weights_kept_by_another_metric_are_not_called_a_wrong_choice():
    """The best answers may come after the lowest loss."""
    chosen = {"step": 66, "metric": "exact_match", "value": 0.9, "keep": "best"}

    assert "They were kept as the best by exact match." in standing(trained(ROSE, chosen=chosen)).said
    assert "keep: best` keeps the lowest" in standing(trained(ROSE, chosen=chosen | {"keep": "last"})).said
    assert notes(chosen=chosen)["Kept"] == (
        "the weights of step 66, the best of all measured by exact match; exact match 90.0\u202f%."
    )


def test_an_early_stop_is_said_with_its_reason():
    """And that all was done, if it was."""
    assert notes()["End"] == "all 66 planned steps were made."
    assert notes(planned_steps=99, stopped_early=True)["End"] == (
        "stopped at step 66 of 99, as the recipe asks: the last 2 measurements were no better than the best before "
        "them, by held-out loss."
    )


def test_what_was_cut_short_is_counted():
    """None is said too."""
    assert "3 of 528 examples (0.6\u202f%), which are longer than 256 tokens" in notes()["Cut short"]
    assert notes(truncated=0)["Cut short"] == "no example."


def test_falling_back_is_said_in_words():
    """A padded layout with its reason, a micro-batch that was halved, activations that were computed again."""
    attempts = [{"micro_batch": n, "checkpoint_activations": n < 16, "outcome": "out of memory"} for n in (32, 16, 8)]
    attempts[0]["micro_batch"] = None
    found = notes(layout={"name": "padded", "why": "no kernel.", "computed_tokens": 125_000}, attempts=attempts)

    assert (
        "Packing was asked for and not possible: no kernel. 20.0\u202f% of what was computed is padding."
        in found["Rows"]
    )
    assert (
        "the whole batch (out of memory), then 16 (out of memory), then 8, which fitted; activations" in found["Memory"]
    )
    assert "A batch of the recipe stayed as large." in found["Memory"]
    assert "packed end to end without padding" in notes()["Rows"]
    assert (
        "20.0\u202f% of tokens needed no computing of their own, as they are beginnings that examples share."
        in notes()["Rows"]
    )
    assert "Memory" not in notes()


def test_what_does_not_repeat_is_named():
    """With the machine that it was so on; and that nobody looked, if nobody did."""
    loose = {"device": "a GPU", "dtype": "bfloat16", "deterministic": False, "not_deterministic": ["sums", "kernels"]}

    assert repeatable(trained()) == (
        "the same recipe gives the same bytes on such a machine (CPU, AVX2, 2 threads, bfloat16, torch 2.13.0)."
    )
    assert repeatable(trained(environment=loose)) == (
        "on such a machine (a GPU, bfloat16) the last bits differ from run to run, because of sums and kernels."
    )
    assert "was not recorded" in repeatable(bare())


def test_replay_is_said_with_its_share_and_with_what_became_of_every_answer():
    """What was wanted, asked for and left out by reason, most first; and that it was too little, if it was."""
    told = {"wanted": 60, "asked": 200, "kept": 48, "left_out": {"empty": 2, "unfinished": 141, "personal": 9}}

    assert notes(replayed=48, replay=told)["Replay"] == (
        "48 of 528 examples (9.1\u202f%) are the base's own answers to general prompts, learned against forgetting. "
        "Wanted were 60, of 200 answers asked for. Left out: 141 unfinished, 9 personal, 2 empty. The share is smaller "
        "than the recipe asks for: more prompts, or ones that are answered briefly, help."
    )
    assert notes(replayed=48, replay=told | {"wanted": 48})["Replay"].endswith("9 personal, 2 empty.")
    assert notes(replayed=48)["Replay"].endswith("learned against forgetting.")
    assert "Replay" not in notes()


def test_the_size_of_the_update_is_said_with_what_did_not_move():
    """A matrix that no gradient reached is a fault that a loss may hide."""
    size = {"median": 0.008, "max": 0.02, "module": "v_proj", "matrices": 9, "unmoved": 2}

    assert "0.8\u202f% of a matrix in the median, 2\u202f% at most, in layers.1.v_proj" in notes()["Update"]
    assert "2 of 9 did not move." in notes(update_size=size)["Update"]


def test_a_record_that_holds_little_is_said_to():
    """An old one makes a page, and no number is made up."""
    found = shown(bare(), {}, None)

    assert (found.losses, found.scores) == ("", "")
    assert [name for name, _ in found.notes] == ["Cut short", "Repeating it"]


def test_a_wide_range_of_losses_has_a_logarithmic_axis():
    """From 2.5 to 0.04 by powers of ten; from 0.3 to 0.2 not."""
    assert shown(trained(), RECIPE, None).is_logarithmic
    assert not shown(trained(((0, 0.3), (66, 0.2)), losses=[[1, 0.3], [66, 0.2]]), RECIPE, None).is_logarithmic
