"""A variant asks the same in another form: what its right answer quotes is never touched."""

import json
import re

import pytest

from assay.errors import DataError
from assay.evaluation import phrases, variants
from assay.evaluation.variants import draw, vary
from assay.records import PLACEHOLDER, Record, Turn
from assay.trials import RobustnessSpec

TEXT = (
    "Hello again,\n\nI am [PERSON_1] and I bought a kettle. Please tell me why order [ORDER_ID_1] was not sent, "
    "because I'd like a refund of 132.50 euros. It is about EK-536017, see mail me@example.com or "
    "https://example.com/help. The high street shop could not help with the slower delivery.\n\nThank you"
)
ALL = ("typos", "case", "paraphrase", "long_context")


def record(text: str = TEXT, place: int = 0, completion: str | None = None, **context: str) -> Record:
    """A test record whose answer quotes the text."""
    answer = {"intent": "refund", "priority": "high", "order_id": "[ORDER_ID_1]", "amount": 132.5, "rest": [None, True]}
    return Record(
        id=f"r{place}",
        subject="s",
        bucket=0,
        source="tickets",
        context=(Turn("system", "Triage."), Turn("user", "Earlier."), Turn("assistant", "Yes?"), Turn("user", text)),
        completion=json.dumps(answer) if completion is None else completion,
        attributes={"channel": "web"},
    )


def said(variant: str, text: str = TEXT, seed: int = 0, **given: str) -> str:
    """The text in another form."""
    return vary(record(text, **given), variant, seed).context[-1].content


@pytest.mark.parametrize("variant", ALL)
def test_only_the_last_user_turn_is_changed_and_the_record_says_of_whom_it_is(variant):
    """The right answer, the subject and the slice stay."""
    one = record()
    found = vary(one, variant, 0)

    assert (found.id, found.completion, found.subject) == (f"r0~{variant}", one.completion, "s")
    assert found.attributes == {"channel": "web", "variant": variant, "of": "r0"}
    assert found.context[:-1] == one.context[:-1]
    assert found.context[-1].content != TEXT


@pytest.mark.parametrize("variant", ALL)
@pytest.mark.parametrize("seed", range(20))
def test_what_the_answer_quotes_and_what_has_a_digit_stays_letter_for_letter(variant, seed):
    """As often as it stood there: placeholders, order ids, amounts, addresses, values of fields."""
    found = said(variant, seed=seed)

    for kept in ("[PERSON_1]", "[ORDER_ID_1]", "132.50", "EK-536017", "me@example.com", "https://example.com/help."):
        assert found.count(kept) == 1
    for word in ("refund", "high"):
        assert len(re.findall(rf"\b{word}\b", found)) == 1


def test_a_value_inside_a_longer_word_is_not_quoted():
    """``low`` in ``slower`` is no priority."""
    found = said("case", "Slower, low!", completion='{"priority": "low"}')

    assert found in {"SLOWER, low!", "slower, low!"}


def test_an_answer_that_is_no_json_is_quoted_as_a_whole():
    """If it stands in the text."""
    assert "Paris it is" in said("case", "They said Paris it is, did they", completion="Paris it is")


@pytest.mark.parametrize("variant", ALL)
def test_equal_record_variant_and_seed_give_equal_text(variant):
    """And another record another one, where chance has a say."""
    assert said(variant) == said(variant)
    assert vary(record(), variant, 0) == vary(record(), variant, 0)
    assert len({said(variant, seed=seed) for seed in range(30)}) > 1


def test_about_one_word_in_ten_is_misspelt_and_at_least_two():
    """Words of four letters or more, behind their first letter."""
    words = [f"w{chr(97 + a)}{chr(97 + b)}rd" for a in range(20) for b in range(10)]
    found = said("typos", " ".join(words), completion="{}").split(" ")
    changed = [(a, b) for a, b in zip(words, found, strict=True) if a != b]

    assert len(changed) == 20
    assert all(a[0] == b[0] and abs(len(a) - len(b)) <= 1 for a, b in changed)
    few = said("typos", "these three words", completion="{}").split(" ")
    assert sum(a != b for a, b in zip(["these", "three", "words"], few, strict=True)) == 2


def test_capitals_or_none_whichever_changes_the_text():
    """What is in small letters already is shouted."""
    assert said("case", "where is it") == "WHERE IS IT"
    assert said("case", "WHERE IS IT") == "where is it"
    assert {said("case", "Where is it", seed=seed) for seed in range(9)} == {"WHERE IS IT", "where is it"}


def test_a_paraphrase_changes_frames_and_function_words():
    """Contractions made and undone; a greeting of several words is exchanged and not doubled."""
    found = said("paraphrase")

    assert "Hello again" not in found
    assert "I'm [PERSON_1]" in found
    assert "It's about" in found
    assert "I'd like" not in found
    assert "kettle" in found


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ("dear [PERSON_1], where is it", "dear [PERSON_1], where is it\n\n"),
        ("hi feel free to wait", "hi feel free to wait\n\n"),
        ("As it is.", "As it is."),
        ("Because of rain", "Because of rain"),
    ],
)
def test_a_rule_that_would_spoil_a_sentence_does_not_apply(text, keeps):
    """A greeting that names somebody stays, and ``it is`` at an end is not contracted."""
    assert keeps in said("paraphrase", text, completion="{}")


def test_a_long_context_is_a_quotation_before_the_text():
    """Of some 150 words, without a digit and without a placeholder."""
    assert said("long_context").endswith(f"\n\n{TEXT}")
    for exchange in phrases.EXCHANGES:
        assert 130 <= len(exchange.split()) <= 190
        assert not re.search(r"\d", exchange)
        assert not PLACEHOLDER.search(exchange)


def test_nothing_that_is_put_in_says_how_urgent_it_is():
    """Else the right answer would be another one."""
    put_in = [
        *phrases.OPENINGS,
        *phrases.FRAMES,
        *phrases.CLOSINGS,
        *(new for _, rule in phrases.RULES for new in rule),
    ]

    cues = r"\b(urgent|soon|now|today|rush|hurry|wait|immediately|deadline|angry|sorry|refund|order|cancel|complain)\w*"
    assert not [text for text in (*put_in, *phrases.EXCHANGES[1:2]) if re.search(cues, text, re.IGNORECASE)]


def test_the_same_records_are_drawn_for_each_variant_by_digest():
    """So that adding records exchanges few of them."""
    records = [record(place=place) for place in range(40)]
    spec = RobustnessSpec(variants=("typos", "case"), records=10)

    found = draw(records, spec)
    chosen = [one.attributes["of"] for one in found]

    assert [one.attributes["variant"] for one in found] == ["typos"] * 10 + ["case"] * 10
    assert chosen[:10] == chosen[10:]
    assert chosen != [one.attributes["of"] for one in draw(records, spec.model_copy(update={"seed": 1}))]
    assert [one.attributes["of"] for one in draw(records[::-1], spec)] == chosen
    more = {one.attributes["of"] for one in draw([*records, record(place=99)], spec)}
    assert len(more & set(chosen)) >= 9
    assert len(draw(records[:3], spec)) == 6


@pytest.mark.parametrize("text", ["", "…", "[PERSON_1] 12", "aaaa aaaa"])
@pytest.mark.parametrize("variant", ALL)
def test_a_text_in_which_little_can_be_changed_does_no_harm(text, variant):
    """Nothing but numbers, or letters that are all alike."""
    assert isinstance(said(variant, text), str)


def test_a_record_without_a_user_turn_is_refused_by_its_id():
    """There is nothing to change."""
    bare = Record(id="r7", subject="s", bucket=0, source="t", context=(Turn("system", "x"),), completion="{}")

    with pytest.raises(DataError, match="record r7 has no user turn"):
        vary(bare, "case", 0)


def test_every_form_that_a_recipe_may_name_is_made():
    """And no other."""
    assert set(variants._CHANGES) == set(ALL)
