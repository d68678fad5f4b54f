"""Each rule over one text, and what it must not be fooled by."""

import json

import pytest

from expectations.cells import has_words, is_in_language, is_not_blank, satisfies
from tests.expectations.conftest import SCHEMA


@pytest.mark.parametrize(
    ("completion", "passes"),
    [
        ('{"label": "billing"}', True),
        ('{"label": "other"}', False),
        ('{"label": "billing", "label": "hardware"}', False),
    ],
)
def test_an_answer_satisfies_the_schema_or_fails(completion, passes):
    """A key given twice is two answers."""
    try:
        assert satisfies(completion, json.dumps(SCHEMA)) is passes
    except ValueError:
        assert not passes


def test_a_text_too_short_to_judge_passes():
    """Language is told from enough words only."""
    assert is_in_language("Guten Tag", ["en"], 12)
    assert not is_in_language(
        "Guten Tag, mein Drucker ist seit heute morgen kaputt, bitte kommen Sie bald vorbei", ["en"], 12
    )


@pytest.mark.parametrize(
    "text",
    [
        "您好，我上周订购了一台咖啡机，但是今天收到的包裹里面只有说明书，没有机器，请尽快帮我核实并重新发货，谢谢。",  # noqa: RUF001
        "先週注文した商品がまだ届いておりません。配送状況を確認していただけますでしょうか。",
        "สวัสดีครับผมสั่งซื้อเครื่องชงกาแฟเมื่อสัปดาห์ที่แล้วแต่ยังไม่ได้รับสินค้า",
    ],
)
def test_a_text_without_spaces_is_not_too_short_to_judge(text):
    """It has fewer runs of letters than English has words, and says as much."""
    assert not is_in_language(text, ["en"], min_words=12)
    assert has_words(text, 12)


def test_a_character_is_a_word_only_where_there_are_no_spaces():
    """Between others, too; Korean has spaces."""
    assert has_words("order 咖啡机 is late", 6, 6)
    assert has_words("안녕하세요 주문", 2, 2)


def test_either_bound_is_enough_to_judge_a_language():
    """A few long words say as much as many short ones."""
    german = "Donaudampfschifffahrtsgesellschaft Rechtsschutzversicherung"

    assert is_in_language(german, ["en"], min_words=3)
    assert is_in_language(german, ["en"], min_words=3, min_characters=99)
    assert not is_in_language(german, ["en"], min_words=3, min_characters=50)
    assert not is_in_language(german, ["en"], min_words=2, min_characters=99)


def test_what_cannot_be_seen_is_blank():
    """Zero-width characters fill a cell without saying anything."""
    assert not is_not_blank(" \n\u200b\ufeff\u00a0")
    assert is_not_blank(" . ")


def test_an_apostrophe_does_not_part_a_word():
    """Both the typewriter's and the printer's."""
    assert has_words("it's the printer\u2019s turn", 4, 4)
