"""An answer under a schema is a beginning of one that satisfies it, at every token and whatever the model prefers."""

import importlib.metadata
import json
import random

import pytest

from assay.errors import RecipeError
from assay.evaluation import generation
from assay.evaluation.constraining import Constraint
from tests import tiny_model

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["intent", "order_id"],
    "properties": {
        "intent": {"enum": ["refund", "delivery", "account"]},
        "order_id": {"type": ["string", "null"], "pattern": "^[0-9]{2,4}$"},
    },
}
END = 2


@pytest.fixture(scope="module")
def tokenizer():
    """Of the tiny model."""
    return tiny_model.build_tokenizer()


@pytest.fixture(scope="module")
def constraint(tokenizer):
    """Its masks, for a model whose logits are wider than the vocabulary."""
    return Constraint(tokenizer, SCHEMA, [END], len(tokenizer) + 6)


def walked(constraint: Constraint, seed: int) -> list[int]:
    """Tokens taken at random among those that are allowed, up to the end."""
    dice, said = random.Random(seed), []
    while True:
        [mask] = constraint({0: said})
        token = dice.choice(mask.nonzero().flatten().tolist())
        if token == END:
            return said
        said.append(token)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_said_satisfies_the_schema(constraint, tokenizer, seed):
    """Drawn at random, so every answer is as good as every other to who draws."""
    from jsonschema import validate

    answer = json.loads(tokenizer.decode(walked(constraint, seed)))

    validate(answer, SCHEMA)
    assert tokenizer.decode(walked(constraint, seed)) == json.dumps(answer)


def test_rows_are_told_apart_and_a_model_may_be_wider_than_its_tokenizer(constraint, tokenizer):
    """In the order in which they are asked; what is no token is never allowed."""
    begun = tokenizer('{"intent": "refund"', add_special_tokens=False)["input_ids"]
    first, second = constraint({4: begun, 7: []})

    assert len(first) == len(tokenizer) + 6
    assert not (first.any() and first.equal(second))
    assert not first[len(tokenizer) :].any()
    assert not first[END]


def test_a_whole_answer_may_only_end(constraint, tokenizer):
    """It cannot ramble; nor can one that left the grammar."""
    whole = tokenizer('{"intent": "refund", "order_id": null}', add_special_tokens=False)["input_ids"]
    [done] = constraint({0: whole})
    [lost] = constraint({0: [*whole, *whole]})

    assert done.nonzero().flatten().tolist() == lost.nonzero().flatten().tolist() == [END]


def test_a_model_that_learned_nothing_answers_in_form(tmp_path, tokenizer):
    """Greedily, two rows together, and unless it is cut off."""
    from jsonschema import validate

    model, read = generation.load(tiny_model.build(tmp_path / "tiny"), "float32", 1)
    bound = Constraint(read, SCHEMA, sorted(generation.ends(model)), model.config.vocab_size)
    prompts = [read(text, add_special_tokens=False)["input_ids"] for text in ("where is order 77", "refund now please")]

    free = generation.answer(model, read, prompts, 40, 2, lambda *_: None)
    held = generation.answer(model, read, prompts, 40, 2, lambda *_: None, constrain=bound)

    assert free != held
    for answer in held:
        validate(json.loads(answer), SCHEMA)


def test_the_digest_names_what_is_allowed(tokenizer, constraint):
    """Another schema or another end has another name."""
    again = Constraint(tokenizer, SCHEMA, [END], 600)
    other = Constraint(tokenizer, SCHEMA | {"required": ["intent"]}, [END], 600)

    assert again.digest == constraint.digest
    assert other.digest != constraint.digest


def test_a_schema_that_no_grammar_keeps_is_refused(tokenizer):
    """Better than answers that are only nearly constrained."""
    odd = {"type": "object", "properties": {"a": {"not": {"type": "string"}}}}

    with pytest.raises(RecipeError, match=r"prompt.output_schema: found a schema .*not"):
        Constraint(tokenizer, odd, [END], 600)


def test_the_digest_names_the_release_of_the_library(tokenizer, constraint, monkeypatch):
    """Another one may allow something else, so what was answered under this one is not its answer."""
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "0.0.0")

    assert Constraint(tokenizer, SCHEMA, [END], 600).digest != constraint.digest


def test_a_long_answer_goes_on_after_all_is_forgotten(tokenizer):
    """What is kept of beginnings is limited, and an answer may have more tokens than Python calls deep."""
    free = Constraint(tokenizer, {"type": "string"}, [END], len(tokenizer))
    said = tokenizer('"' + "a b " * 1500, add_special_tokens=False)["input_ids"]
    [mask] = free({0: said})

    assert len(said) > 2000
    assert mask[tokenizer.convert_tokens_to_ids("a")]
