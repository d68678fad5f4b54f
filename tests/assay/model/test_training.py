"""An adapter is learned, by completions only, and the same one whatever befalls the process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from assay.errors import RecipeError, TrainingError
from assay.model import adapter, checkpoints, dynamics, rows, session, training, watching, weights
from assay.tuning import SelectionSpec, TrainingSpec
from tests import tiny_model

BASE = "0" * 64
SPEC = TrainingSpec(
    method="lora",
    rank=4,
    alpha=8,
    dropout=0.1,
    target_modules=("q_proj", "down_proj"),
    last_layers=1,
    learning_rate=1e-1,
    epochs=2,
    batch_size=4,
    max_length=64,
    seed=3,
)
STEPS = 10


@dataclass(frozen=True)
class Row:
    """What training asks of an example."""

    input_ids: tuple[int, ...]
    prompt_length: int
    truncated: bool = False


EXAMPLES = [Row((*range(20 + n, 32 + 2 * n), 7, 8, 9 + n % 3, 2), 12 + n) for n in range(20)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared base."""
    folder = tmp_path_factory.mktemp("training")
    weights.prepare(tiny_model.build(folder / "tiny"), "bfloat16", folder / "base")
    return folder / "base"


def run(
    base: Path, folder: Path, *, spec: TrainingSpec = SPEC, report=lambda _: None, examples=EXAMPLES, **job
) -> dict:
    """Train in ``folder`` as the product does, and return the record."""
    model = adapter.attach(base, spec)
    asked = session.Job(base_digest=BASE, checkpoint_every=2, **job)
    record = training.train(
        asked, model, examples, held_out=EXAMPLES[:6], spec=spec, work=folder / "work", report=report
    )
    adapter.save(model, "tiny", BASE, folder / "out")
    return record


def bytes_of(folder: Path) -> dict[str, bytes]:
    """The adapter's files."""
    return {file.name: file.read_bytes() for file in (folder / "out").iterdir()}


def visits(folder: Path) -> bytes:
    """What each example lost at each visit."""
    return (folder / "work" / dynamics.FILE).read_bytes()


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, list[dict], Path]:
    """Record, events and folder of a run that nothing befell."""
    folder, events = tmp_path_factory.mktemp("whole"), []
    return run(base, folder, report=events.append), events, folder


def test_the_loss_falls_on_what_is_learned_and_on_what_is_held_out(whole):
    """Measured at the start and after each epoch."""
    record = whole[0]

    assert record["losses"][-1][1] < 0.95 * record["losses"][0][1]
    assert [step for step, _ in record["held_out_losses"]] == [0, STEPS // 2, STEPS]
    assert record["held_out_losses"][-1][1] < 0.95 * record["held_out_losses"][0][1]


def test_each_measurement_stands_beside_the_loss_of_the_batches_before_it(whole):
    """At the start beside that of the first batch, which is of the same weights."""
    losses, measured = whole[0]["losses"], whole[0]["measurements"]

    assert measured[0]["train_loss"] == losses[0][1]
    assert measured[-1]["train_loss"] == pytest.approx(sum(loss for _, loss in losses[-training.AROUND :]) / STEPS)


def test_every_step_is_reported(whole):
    """A progress bar needs no more than this."""
    steps = [event for event in whole[1] if event["event"] == "step"]

    assert [event["step"] for event in steps] == list(range(1, STEPS + 1))
    assert {event["of"] for event in steps} == {STEPS}
    assert steps[-1]["tokens"] == whole[0]["tokens"] == 2 * sum(len(row.input_ids) for row in EXAMPLES)
    assert steps[-1].keys() >= {"loss", "learning_rate", "seconds"}


def test_the_files_hold_the_adapter_and_nothing_of_the_machine(whole):
    """No path, no date: equal weights are equal bytes."""
    files = bytes_of(whole[2])
    config = json.loads(files["adapter_config.json"])

    assert sorted(files) == ["adapter_config.json", "adapter_model.safetensors"]
    assert config["target_modules"] == ["model.layers.1.mlp.down_proj", "model.layers.1.self_attn.q_proj"]
    assert (config["base_model_name_or_path"], config["revision"]) == ("tiny", BASE)
    assert b"/" not in files["adapter_config.json"]


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(whole, base: Path, tmp_path: Path):
    """Dropout included."""
    run(base, tmp_path / "same")
    run(base, tmp_path / "other", spec=SPEC.model_copy(update={"seed": 4}))

    assert bytes_of(tmp_path / "same") == bytes_of(whole[2])
    assert bytes_of(tmp_path / "other") != bytes_of(whole[2])


PROGRAM = """
import sys, time, torch
from pathlib import Path
from tests.assay.model.test_training import SPEC, best_spec, run
torch.set_num_threads(1)
base, folder, pause = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "pause"
def report(event):
    print(event["event"], event["step"], flush=True)
    if pause and (event["event"], event["step"]) == ("step", 7):
        time.sleep(60)
spec = {"random": SPEC, "shortcuts": best_spec()}[sys.argv[4]]
run(base, folder / "killed", report=report, spec=spec)
run(base, folder / "whole", spec=spec)
"""


@pytest.mark.parametrize("kind", [pytest.param("random", marks=pytest.mark.slow), "shortcuts"])
def test_killed_and_resumed_is_as_if_never_killed(kind: str, base: Path, tmp_path: Path):
    """SIGKILL after step 7 of 10, in the middle of an epoch; at most one interval is repeated.

    With dropout; and without, where a prefix is shared, a layer is passed over and the best weights are kept.
    """
    command = [sys.executable, "-c", PROGRAM, str(base), str(tmp_path)]
    with subprocess.Popen([*command, "pause", kind], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line == "step 7\n":
                process.kill()
                break
    assert not (tmp_path / "killed" / "out").exists()

    again = subprocess.run([*command, "go on", kind], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()

    assert again[:2] == ["resumed 6", "step 7"]
    assert bytes_of(tmp_path / "killed") == bytes_of(tmp_path / "whole")
    assert visits(tmp_path / "killed") == visits(tmp_path / "whole")


def test_a_stop_leaves_a_checkpoint_and_no_adapter_and_the_record_is_whole_afterwards(
    whole, base: Path, tmp_path: Path
):
    """The trainer returns from a stop as if it had finished, which would file half an adapter."""
    events: list[dict] = []

    with pytest.raises(TrainingError, match="run it again"):
        run(
            base, tmp_path, report=events.append, stop=lambda: events[-1]["event"] == "step" and events[-1]["step"] == 3
        )
    assert not (tmp_path / "out").exists()

    record = run(base, tmp_path, report=events.append)
    assert {"event": "resumed", "step": 4} in events
    assert bytes_of(tmp_path) == bytes_of(whole[2])
    assert visits(tmp_path) == visits(whole[2])
    assert record["losses"] == whole[0]["losses"]
    assert record["held_out_losses"] == whole[0]["held_out_losses"]


def test_a_run_that_was_killed_after_its_last_step_only_writes_its_files(whole, base: Path, tmp_path: Path):
    """The last step is a checkpoint too."""
    events: list[dict] = []
    run(base, tmp_path)
    (tmp_path / "out" / adapter.WEIGHTS).unlink()

    record = run(base, tmp_path, report=events.append)

    assert events == [{"event": "resumed", "step": STEPS}]
    assert bytes_of(tmp_path) == bytes_of(whole[2])
    assert visits(tmp_path) == visits(whole[2])
    assert record["losses"] == whole[0]["losses"]


@pytest.mark.parametrize("tear", ["manifest", "weights", "cut", "foreign"])
def test_a_torn_or_foreign_checkpoint_is_never_resumed(tear: str, tmp_path: Path):
    """Half-written, altered, or another run's: each costs an interval and no more."""
    for step in (2, 4):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "weights").write_bytes(b"1234")
        checkpoints.seal(folder, "foreign" if (tear, step) == ("foreign", 4) else "mine", 1.5)
    if tear == "manifest":
        (folder / checkpoints.MANIFEST).unlink()
    elif tear in {"weights", "cut"}:
        (folder / "weights").write_bytes(b"1235" if tear == "weights" else b"12")

    assert checkpoints.last_whole(tmp_path, "mine") == tmp_path / "checkpoint-2"
    assert not folder.exists()
    assert checkpoints.seconds(tmp_path / "checkpoint-2") == 1.5


def test_a_checkpoint_of_other_examples_is_not_resumed(base: Path, tmp_path: Path):
    """A folder used again by another recipe never lends it its weights."""
    events: list[dict] = []
    run(base, tmp_path)

    run(base, tmp_path, examples=EXAMPLES[::-1], report=events.append)

    assert "resumed" not in {event["event"] for event in events}


@pytest.mark.parametrize("rows_and_batch", [(20, 4), (21, 4), (3, 8), (401, 4)])
def test_each_epoch_holds_each_row_once_and_like_lengths_together(rows_and_batch: tuple[int, int]):
    """Whatever is left of an epoch opens the next, so only the last batch is small."""
    count, size = rows_and_batch
    lengths = [10 + place * 7 % 50 for place in range(count)]

    ordered = rows.order(lengths, size, 3, seed=1)

    assert sorted(ordered) == sorted([*range(count)] * 3)
    whole = count // size * size
    assert len(set(ordered[:whole])) == whole
    assert rows.order(lengths, size, 3, seed=1) == ordered != rows.order(lengths, size, 3, seed=2)
    if count == 401:
        batches = [
            [lengths[place] for place in ordered[start : start + size]] for start in range(0, len(ordered), size)
        ]
        assert sum(max(batch) * len(batch) for batch in batches) < 1.05 * sum(map(sum, batches))


def test_merged_weights_say_what_the_adapter_says(whole, base: Path, tmp_path: Path):
    """In float32, so that only the order of sums differs."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    weights.merge(base, whole[2] / "out", tmp_path / "merged", "float32")

    ids = torch.tensor([EXAMPLES[5].input_ids])
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    before = plain(ids).logits
    adapted = PeftModel.from_pretrained(plain, whole[2] / "out")(ids).logits
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")(ids).logits
    assert torch.allclose(merged, adapted, atol=1e-5)
    assert not torch.allclose(merged, before, atol=1e-2)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"target_modules": ("q_proj", "query_key_value")}, r"no \['query_key_value'\] in LlamaForCausalLM.*'up_proj'"),
        ({"last_layers": 3}, "expected at most 2"),
        ({"max_length": 257}, "expected at most the model's 256"),
    ],
)
def test_a_recipe_that_the_base_cannot_follow_is_refused(base: Path, change: dict, says: str):
    """Before a machine is taken, and with what there is to choose from."""
    with pytest.raises(RecipeError, match=says):
        adapter.attach(base, SPEC.model_copy(update=change))


@pytest.mark.parametrize(
    ("examples", "says"),
    [
        ([], "no training example"),
        ([Row((1, 2, 3), 3)], "lack a prompt or a completion"),
        ([Row((1,) * 65, 3)], "longer than 64"),
    ],
)
def test_rows_that_cannot_be_learned_are_refused(examples: list[Row], says: str):
    """A count, and no text of a record."""
    with pytest.raises(TrainingError, match=says):
        rows.check(examples, SPEC.max_length)


def test_a_loss_that_is_no_number_stops_with_the_step_and_a_remedy(base: Path, tmp_path: Path):
    """The trainer's own filter would have shown the mean of the losses before."""
    spec = SPEC.model_copy(update={"learning_rate": 1e38, "warmup_share": 0.0})

    with pytest.raises(TrainingError, match=r"step 2: found loss nan .* lower `training.learning_rate` \(now 1e\+38\)"):
        run(base, tmp_path, spec=spec)
    assert not (tmp_path / "out").exists()


def test_a_loss_that_climbs_stops_and_a_noisy_one_does_not():
    """Five steps on average over twice the first loss and one."""
    limit = watching.ceiling(1.0)

    watching._check_loss(9, [0.5, 9.0, 0.5, 4.0, 0.9], 1.0, limit, SPEC)
    watching._check_loss(4, [9.0, 9.0, 9.0, 9.0], 1.0, limit, SPEC)
    with pytest.raises(TrainingError, match=r"step 9: found a mean loss of 3.10 over 5 steps, expected at most 3.00"):
        watching._check_loss(9, [3.1] * 5, 1.0, limit, SPEC)


def test_an_adapter_that_changes_nothing_is_not_saved(base: Path, tmp_path: Path):
    """B starts at zero; if it stayed there, nothing was trained."""
    with pytest.raises(TrainingError, match="zero update"):
        adapter.save(adapter.attach(base, SPEC), "tiny", BASE, tmp_path)


def test_gradients_of_smaller_batches_add_up(whole, base: Path, tmp_path: Path):
    """A machine with less memory learns the same, up to rounding."""
    spec = SPEC.model_copy(update={"dropout": 0.0})
    at_once, in_parts = run(base, tmp_path / "1", spec=spec), run(base, tmp_path / "2", spec=spec, micro_batch=2)

    for (_, one), (_, two) in zip(at_once["losses"], in_parts["losses"], strict=True):
        assert one == pytest.approx(two, abs=0.02)
    with pytest.raises(TrainingError, match="to divide 4"):
        run(base, tmp_path / "3", micro_batch=3)


def test_operations_count_what_is_frozen_once_less(base: Path):
    """One of two layers adapted: 4 per weight there, 2 below, 6 for the adapter, 4 for the head where it is read."""
    model = adapter.attach(base, SPEC)
    layer = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128
    learned = 4 * (64 + 64) + 4 * (128 + 64)
    head = 64 * model.get_base_model().config.vocab_size

    counted = adapter.operations(model, tokens=10, learned_tokens=3)

    assert counted["done"] == 10 * (2 * 2 * layer + 2 * layer + 6 * learned) + 3 * 4 * head
    assert counted["full"] == 10 * 6 * (2 * layer + head)


def held_out(base: Path, adapted: Path) -> float:
    """What the saved adapter loses on the held-out rows, as transformers computes it."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapted)
    total, tokens = 0.0, 0
    for row in EXAMPLES[:6]:
        labels = torch.tensor([rows.labels(row)])
        count = len(row.input_ids) - row.prompt_length
        with torch.no_grad():
            total += float(model(input_ids=torch.tensor([row.input_ids]), labels=labels).loss) * count
        tokens += count
    return total / tokens


def best_spec(**selection: object) -> TrainingSpec:
    """Measured every other step, at a rate at which the loss does not only fall."""
    asked = SelectionSpec(every=2, keep="best", **selection)
    return SPEC.model_copy(update={"selection": asked, "learning_rate": 0.5, "dropout": 0.0})


def test_the_best_weights_are_kept_and_not_the_last(base: Path, tmp_path: Path):
    """What is saved has the held-out loss that the record says was chosen."""
    events = []
    record = run(base, tmp_path, spec=best_spec(), report=events.append)
    losses = {event["step"]: event["held_out_loss"] for event in events if event["event"] == "held_out"}
    chosen = record["chosen"]

    assert chosen["value"] == losses[chosen["step"]] == min(loss for step, loss in losses.items() if step)
    assert chosen["step"] < STEPS
    assert held_out(base, tmp_path / "out") == pytest.approx(chosen["value"], rel=0.02)


def test_training_ends_when_nothing_gets_better(base: Path, tmp_path: Path):
    """Two measurements in a row without a better one."""
    record = run(base, tmp_path, spec=best_spec(patience=2))
    losses = [loss for _, loss in record["held_out_losses"]][1:]

    assert record["stopped_early"] is (record["steps"] < STEPS)
    assert record["steps"] == record["held_out_losses"][-1][0]
    if record["stopped_early"]:
        assert min(losses) == losses[-3]


def test_metrics_of_the_task_choose_if_the_recipe_says_so(base: Path, tmp_path: Path):
    """They are asked of the model at each measurement, and nothing else moves for it."""
    values = iter([0.0, 0.1, 0.9, 0.3, 0.2, 0.1])
    spec = best_spec(metric="exact_match", answers=4)

    record = run(base, tmp_path / "asked", spec=spec, assess=lambda _: {"exact_match": next(values)})

    assert record["chosen"] == {"step": 4, "metric": "exact_match", "value": 0.9, "keep": "best"}
    plain = run(base, tmp_path / "plain", spec=best_spec())
    assert record["losses"] == plain["losses"]


def test_a_run_that_ended_early_and_was_killed_before_it_was_filed_ends_there_again(base: Path, tmp_path: Path):
    """Its last step is a checkpoint step too, from which it must not go on."""
    spec = best_spec(patience=1).model_copy(update={"selection": SelectionSpec(every=2, patience=1)})
    events: list[dict] = []
    first = run(base, tmp_path, spec=spec)
    files = bytes_of(tmp_path)
    assert first["stopped_early"]

    again = run(base, tmp_path, spec=spec, report=events.append)

    assert events[0] == {"event": "resumed", "step": first["steps"] - 2}
    assert again["steps"] == first["steps"]
    assert bytes_of(tmp_path) == files


def test_best_weights_of_an_attempt_that_went_further_are_forgotten(tmp_path: Path):
    """What came after the checkpoint that is gone on from is taken again, and another run's is not this one's."""
    import torch

    layer = torch.nn.Linear(2, 2)
    for step, identity in ((2, "mine"), (4, "another"), (6, "mine")):
        checkpoints.file_best(layer, tmp_path, step, identity)

    checkpoints.forget_best(tmp_path, 4, "mine")

    assert [folder.name for folder in tmp_path.iterdir()] == ["best-2"]
    with pytest.raises(TrainingError, match="none whole of step 6"):
        checkpoints.load_best(layer, tmp_path, 6, "mine")
