"""A text that the detectors cannot read is told by its letters."""

import pytest

from assay.privacy.detection.scripts import unread


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
        "", "12345 !?", "🎉🎉", "café naïve Łódź İstanbul Đặng ǅ ŉ ﬁn", "5 µm, 3 Ω and ª", "[PERSON_1] π",
        "5 μg, 10 kΩ, ΔE, π≈3.14, 20 °C and λ = Σ Δ", "whatever ¯\\_(ツ)_/¯ ಠ_ಠ ok", "\u200f\u200fabc\u200d",
        "👨\u200d👩\u200d👧 ✅ ①② chapter ⅣⅤ, 10⁻⁴⁵, ½, Cafe\u0301",
    ],
)  # fmt: skip
def test_latin_text_passes_with_units_and_signs(text):
    """With accents, ligatures, emoji, numbers that are characters, and marks of direction."""
    assert unread(text) is None


@pytest.mark.parametrize(
    ("word", "script"),
    [
        ("王小明", "Han"), ("王 小 明", "Han"), ("さくら", "Hiragana"), ("マリ", "Katakana"), ("지훈", "Hangul"),
        ("Анна", "Cyrillic"), ("Γιώργος", "Greek"), ("ليلى", "Arabic"), ("דוד", "Hebrew"), ("สมชาย", "Thai"),
        ("मीरा", "Devanagari"), ("\uff21\uff4e", "full-width"), ("\\u0413\\u0434", "Cyrillic"),
    ],
)  # fmt: skip
def test_one_foreign_word_is_a_name_that_nobody_reads(word, script):
    """However much Latin text stands around it, in one paragraph or many."""
    around = "This is a message that was forwarded to us. " * 20
    reason = f"{{}} has words in {script}, which the detectors do not read"

    assert unread(f"Please call {word} about the order.") == reason
    assert unread(f"{around}\n\n{word}\n\n{around}") == reason


def test_masking_does_not_make_a_text_foreign():
    """What was read before its names were masked is read again after."""
    assert unread("Anna Maria Kowalska: π, Ω") is None
    assert unread("[PERSON_1]: π, Ω") is None
    assert unread("A: π, Ω") is not None


def test_only_placeholders_that_redaction_writes_vouch():
    """One of a type that there is not was written by whoever wrote the text."""
    assert unread("[NAME_1]: π, Ω, λ, μ, Σ") is not None
    assert unread("[VEHICLE_1]: π, Ω, λ, μ, Σ, Δ, τ, φ", ("VEHICLE",)) is None
    for kind in ("NAME", "PERSON"):
        assert unread(f"[{kind}_1] Меня зовут Анна Ковальская, адрес Ленина 5").startswith("more than half")


def test_a_placeholder_does_not_vouch_for_a_foreign_page():
    """It counts as a name does, not as a page."""
    assert unread("[PERSON_1] " + "Где мой заказ? " * 10) is not None


def test_one_endless_word_does_not_vouch_for_a_foreign_sentence():
    """Hundreds of letters without a space are no sentence that could be read."""
    assert unread("x" * 500 + " где мой заказ, почему он не пришёл ко мне") is not None
