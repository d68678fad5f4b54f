"""A text that the detectors cannot read is told by its letters."""

import pytest

from assay.privacy.detection.scripts import PASSAGE, unread


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("Где мой заказ?", "Cyrillic"),
        ("Πού είναι η παραγγελία μου;", "Greek"),
        ("我的订单在哪里", "Han"),
        ("注文はどこですか", "Hiragana and Han"),
        ("أين طلبي؟", "Arabic"),
        ("איפה ההזמנה שלי", "Hebrew"),
        ("คำสั่งซื้อของฉันอยู่ที่ไหน", "Thai"),
        ("मेरा ऑर्डर कहाँ है", "Devanagari"),
        ("내 주문은 어디에 있나요", "Hangul"),
        ("\U0001d400\U0001d427\U0001d427\U0001d41a", "mathematical"),
        ("\uff21\uff4e\uff4e\uff41", "full-width"),
        ('{"a": "\\u0413\\u0434\\u0435"}', "Cyrillic"),
    ],
)
def test_a_foreign_text_is_named_by_its_scripts(text, scripts):
    """The commonest first."""
    expected = f"more than half of the letters of {{}} are {scripts}, which the detectors do not read"

    assert unread(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "", "12345 !?", "🎉🎉", "café naïve Łódź İstanbul Đặng ǅ ŉ ﬁn", "5 µm, 3 Ω and ª",
        "the word спасибо means thanks", "Please ask 王小明 about it", "\u200f\u200fabc\u200d",
    ],
)  # fmt: skip
def test_latin_text_passes_with_a_few_foreign_words(text):
    """With accents, ligatures, units, emoji, and marks of direction."""
    assert unread(text) is None


def test_a_foreign_paragraph_is_not_outvoted():
    """However much Latin text stands around it."""
    around = "This is a message that was forwarded to us. " * 20
    short, long = "ж" * (PASSAGE - 1), "ж" * PASSAGE

    assert unread(f"{around}\n\n{short}\n\n{around}") is None
    assert unread(f"{around}\n\n{long}\n \n{around}") == (
        "more than half of the letters of a paragraph of {} are Cyrillic, which the detectors do not read"
    )


def test_masking_does_not_make_a_text_foreign():
    """What was read before its names were masked is read again after."""
    before = "Anna Maria Kowalska и Иван Петров ждут"
    after = "[PERSON_1] и Иван Петров ждут"

    assert unread(before) is None
    assert unread(after) is None
    assert unread(after.replace("[PERSON_1]", "A")) is not None


def test_a_placeholder_does_not_vouch_for_a_foreign_page():
    """It counts as a name does, not as a page."""
    assert unread("[PERSON_1] " + "Где мой заказ? " * 10) is not None


def test_one_endless_word_does_not_vouch_for_a_foreign_sentence():
    """Hundreds of letters without a space are no sentence that could be read."""
    assert unread("x" * 500 + " где мой заказ, почему он не пришёл ко мне") is not None
