"""A recipe that asks for everything beside the plain way: replay, other seeds, a price, the best weights, DoRA."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from assay.model import weights
from tasks import retraining, runs
from tasks.places import folder, store
from tests.flows import small
from tests.flows.conftest import Ran

pytestmark = pytest.mark.slow

PROMPTS = [{"id": f"p{number}", "prompt": f"Say {number} words."} for number in range(8)]
ASKED = {
    "replay": {
        "name": "general", "prompts": "prompts.jsonl", "licence": "CC-BY-4.0", "share": 0.1, "system": "Reply.",
        "max_new_tokens": 24,
    },
    "repeat_seeds": [7],
    "price": {"device_hour": 36.0, "currency": "EUR", "as_of": "2031-02-03"},
}  # fmt: skip
TAUGHT = {
    "method": "dora",
    "epochs": 1,
    "selection": {"every": 5, "keep": "best", "patience": 3, "answers": 4, "max_new_tokens": 8},
}


@pytest.fixture(scope="module")
def ran(path_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """That recipe, run once on the model of two layers."""
    recipe = full(tmp_path_factory.mktemp("recipe"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_THREADS", "1")
        yield Ran(recipe, *small.run(recipe))


def full(at: Path) -> Path:
    """The small recipe with all of that, and a base that ends an answer soon, though nothing taught it to."""
    path = small.recipe(at)
    settings = at / "base" / "generation_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"eos_token_id": [2, *range(40, 60)]}))
    (at / "prompts.jsonl").write_text("".join(json.dumps(prompt) + "\n" for prompt in PROMPTS))
    tree = yaml.safe_load(path.read_text()) | ASKED
    tree["base"]["digest"] = weights.digest(at / "base")
    tree["training"] |= TAUGHT
    path.write_text(yaml.safe_dump(tree, sort_keys=False))
    return path


def text(html: str) -> str:
    """A page as a reader has it: words without markup, white space of one kind."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u202f", " ").split())


def learned(ran: Ran) -> dict:
    """The record of the candidate's training."""
    asked = retraining.find(runs.find("latest"))
    assert asked.answer.adapter == ran.outcome.adapter
    record: dict = json.loads(store().get(asked.answer.record))
    return record


def test_the_report_says_what_was_replayed_and_what_became_of_the_other_answers(ran):
    """Share, numbers, a reason for each that was left out, and by what right the prompts are used."""
    record, page = learned(ran), text(store().get(ran.outcome.page).decode())
    told = record["replay"]

    assert told["asked"] == told["kept"] + sum(told["left_out"].values())
    assert 0 < record["replayed"] == told["kept"] <= told["wanted"]
    assert f"{told['kept']} of {record['examples']} examples" in page
    assert f"Wanted were {told['wanted']}, of {told['asked']} answers asked for." in page
    for reason, count in told["left_out"].items():
        assert f"{count} {reason}" in page
    assert "CC-BY-4.0" in page


def test_the_data_card_names_the_prompts_their_licence_and_their_rows(ran):
    """Who signs for the data signs for what is learned beside it."""
    page = text(store().get(ran.outcome.described.card).decode())

    assert f"general learned beside the records {learned(ran)['replayed']}" in page
    assert "CC-BY-4.0" in page


def test_the_doorway_saw_the_replayed_rows(ran):
    """Down to which token is learned."""
    rows = next(each["rows"] for each in runs.find("latest")["validations"] if each["doorway"] == "splits")
    sides = json.loads(store().get(ran.outcome.described.profile))["sides"]

    assert rows == sum(side["rows"] for side in sides) + learned(ran)["replayed"]


def test_what_counts_as_personal_in_an_answer_is_the_recipes_to_say(ran):
    """Its redaction is in the key of replay: another policy asks the base again."""
    (asked,) = [json.loads(path.read_text()) for path in (folder("questions") / "replay").glob("*.json")]

    assert asked["inputs"]["policy"]["policy"] == {"CITY": "keep"}


def test_the_report_says_how_far_a_seed_moves_the_result(ran):
    """Of the loss and of the metric of the task, over the candidate and its repeat."""
    page = text(store().get(ran.outcome.page).decode())

    assert "Held-out loss over 2 seeds:" in page
    assert "Exact match over 2 seeds:" in page
    assert "the candidate" in page


def test_price_and_cost_are_on_the_page_and_in_the_record_of_the_run(ran):
    """What a device costs here, times what training took, with its repeat."""
    page, spent = text(store().get(ran.outcome.page).decode()), runs.find("latest")["cost"]

    assert "36.00 EUR (price of 2031-02-03)" in page
    assert (spent["price"]["device_hour"], spent["repeats"]) == (36.0, 1)
    assert spent["amount"] == pytest.approx(36.0 * spent["device_hours"])


def test_the_weights_that_were_kept_are_the_best_that_were_measured(ran):
    """By the loss on the validation side, which is on the page with its step."""
    record, page = learned(ran), text(store().get(ran.outcome.page).decode())
    losses = {each["step"]: each["held_out_loss"] for each in record["measurements"]}

    assert record["chosen"]["value"] == min(losses.values())
    assert f"the weights of step {record['chosen']['step']}, the best of all measured by held-out loss" in page
    assert all(each["exact_match"] is not None for each in record["measurements"])


def test_training_again_from_what_is_on_record_gives_the_same_bytes(ran):
    """Replayed rows, noise of the seed and choice of the weights included."""
    found = retraining.retrain(runs.find("latest")["run"])

    assert found.is_equal, (found.changed, found.difference)
    assert found.adapter == ran.outcome.adapter.digest
    assert list((folder("retrainings") / found.run).glob("*.json"))
