"""Forms, labels and cues say where personal data stand, and let the rest of the sentence be."""

import time

import pytest

from assay.privacy.detection import personal_cues, personal_labels, personal_misspellings, personal_rules


def found(text, module=personal_rules):
    """Types and values that a module's rules find."""
    return {(getattr(hit, "type", "PERSON"), text[hit.start : hit.end]) for hit in module.find(text)}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("EMAIL", "jane.o'hara+x@mail.example.co.uk"),
        ("URL", "https://example.org/people/jane?tab=1"),
        ("IP_ADDRESS", "203.0.113.9"),
        ("IP_ADDRESS", "2001:db8::8a2e:370:7334"),
        ("SSN", "536-22-1234"),
        ("SSN", "QQ 12 34 56 C".replace("QQ", "AB")),
        ("SECRET", "ghp_" + "a1B2" * 8),
        ("ORDER_ID", "INV-2024-001"),
        ("ACCOUNT_ID", "cust_889210"),
        ("PHONE", "+44 (0)20 7946 0018"),
        ("PHONE", "(602) 555-0133"),
        ("PHONE", "03 9012 4455"),
        ("PHONE", "+49 30 901820"),
        ("ADDRESS", "12 Baker Street, Apt 4"),
        ("ADDRESS", "Lerchenallee 2"),
        ("ADDRESS", "8 rue des Tournelles"),
        ("ADDRESS", "P.O. Box 1182"),
        ("ADDRESS", "SW1A 1AA"),
        ("ADDRESS", "Springfield, IL 62704"),
        ("SSN", "912-48-1234"),
        ("ORDER_ID", "4481-SBLB"),
        ("ACCOUNT_ID", "AC 8606 9253"),
        ("ADDRESS", "Mannerheiminkatu 12"),
    ],
)
def test_a_form_is_recognised_inside_a_sentence(kind, value):
    """Whole, and without the words around it."""
    assert (kind, value) in found(f"please note {value} and thanks")


def test_a_card_number_counts_only_if_its_check_digit_holds():
    """Luhn: one digit off is another number."""
    assert ("CREDIT_CARD", "4111 1111 1111 1111") in found("it is 4111 1111 1111 1111 ok")
    assert not personal_rules.passes_luhn("4111 1111 1111 1112")


def test_an_iban_gives_back_the_words_behind_it():
    """Only the part whose check digits hold is the account."""
    assert ("IBAN", "GB82 WEST 1234 5698 7654 32") in found("to GB82 WEST 1234 5698 7654 32 and soon")
    assert not personal_rules.passes_mod97("GB82 WEST 1234 5698 7654 33")


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Order number is: #AB-1234.", "ORDER_ID", "AB-1234"),
        ("my acct no. 99881 is closed", "ACCOUNT_ID", "99881"),
        ("my password is Hunter2! ok", "SECRET", "Hunter2!"),
        ("api_key=zzz999xx", "SECRET", "zzz999xx"),
        ("the PIN 4711", "SECRET", "4711"),
        ("born on 3rd of December 1985", "DATE_OF_BIRTH", "3rd of December 1985"),
        ("DOB: 03/12/85", "DATE_OF_BIRTH", "03/12/85"),
        ("username: j.doe", "USERNAME", "j.doe"),
        ("call me back at 555 01 23", "PHONE", "555 01 23"),
        ("the card ending in 4242", "CREDIT_CARD", "4242"),
        ("the access code Mango-Rocket98 was in it", "SECRET", "Mango-Rocket98"),
        ("I was texted the code Mango-Rocket98.", "SECRET", "Mango-Rocket98"),
        ("PIN Pepper!412mango no longer works", "SECRET", "Pepper!412mango"),
        ("I typed 3623 as the password", "SECRET", "3623"),
        ("I sign in as jane_doe", "USERNAME", "jane_doe"),
        ("the profile falk_hel is locked", "USERNAME", "falk_hel"),
        ("picklealha07 is what I am called here", "USERNAME", "picklealha07"),
        ("i am customer ac 7796 0423.", "ACCOUNT_ID", "ac 7796 0423"),
    ],
)
def test_a_label_announces_its_value(text, kind, value):
    """The label stays, the value is found."""
    assert (kind, value) in found(text, personal_labels)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("an jane@example.comждил", "jane@example.comждил"),
        ("ждилjane@example.com", "ждилjane@example.com"),
        (f"{'x' * 300}@example.com", f"{'x' * 300}@example.com"),
        ("<jane@дыждь.юл>", "jane@дыждь.юл"),
        ("..jane@example.com.", "jane@example.com"),
    ],
)
def test_an_email_address_is_found_whatever_is_glued_to_it(text, address):
    """Letters of any script, and any number of them."""
    assert ("EMAIL", address) in found(text)


@pytest.mark.parametrize("text", ["a @ b.c", "@example.com", "jane@localhost", "5@ 3.50 each", "....@example.com"])
def test_an_at_sign_alone_is_no_address(text):
    """There must be a mailbox before it and a domain behind."""
    assert not {kind for kind, _ in found(text)} & {"EMAIL"}


@pytest.mark.parametrize("text", ["Can I pay via Apple Pay?", "a 2000-LED lamp, 120-VAC", "COVID-19 and ISO-9001"])
def test_a_shape_of_a_product_is_no_number_of_a_customer(text):
    """Nor a street."""
    assert found(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "my password is wrong",
        "the order is late",
        "my account is closed",
        "invoice total 23.99",
        "I bought 2 items",
        "the password reset link is broken",
        "my PIN has 4-digits",
        "I used the app as well",
        "the profile page is empty",
        "that is what I am called for",
        "the account number is definitely right",
    ],
)
def test_a_sentence_that_goes_on_is_no_value(text):
    """A label alone announces nothing."""
    assert found(text, personal_labels) == set()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hi, my name is sue o'neil and", "sue o'neil"),
        ("Dear Ms. Ngata,", "Ngata"),
        ("I'm Anna-Maria de la Cruz from", "Anna-Maria de la Cruz"),
        ("ask my husband Tom Brown about it", "Tom Brown"),
        ("It broke.\n\nKind regards,\nwei zhang", "wei zhang"),
        ("Your full name, please?\nsue miller\n", "sue miller"),
        ("Ok.\n\nMuch obliged,\nVuk\n", "Vuk"),
        ("Hello A. Y\u0131ld\u0131z,\nthanks", "A. Y\u0131ld\u0131z"),
        ("my name is hyuuma t. maida", "hyuuma t. maida"),
        ("H. Chiu, C-53907\nnext", "H. Chiu"),
        ('Alice: "Who is it?"', "Alice"),
        ("Vide, can I please go?", "Vide"),
        ("it was directed by Producer James Sparks", "James Sparks"),
        ("Satu Elomo\n\n458 Elm Road", "Satu Elomo"),
        ("have you heard of Irena Bílá yet, or is it new", "Irena Bílá"),
    ],
)
def test_a_cue_announces_a_name(text, name):
    """From its first word to its last."""
    assert ("PERSON", name) in found(text, personal_cues)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry",
        "I AM VERY ANGRY",
        "Dear Support,",
        "Hi there,\n\nplease help",
        "Thanks,\n",
        "Hi, Could you help?",
        "Shipping Address\n\n458 Elm Road",
        "Sorry, can you help?",
        "Noted.",
    ],
)
def test_a_cue_without_a_name_announces_nothing(text):
    """Manners are not people."""
    assert found(text, personal_cues) == set()


@pytest.mark.parametrize(
    "unit",
    ["a.", "1 ", "-1", "a@", "(1", "Aa ", "ab:", "name is ", "GB82 WEST ", "!#a", "\n", "x'", "1a ", "oder: a1 "],
)
def test_no_text_takes_long(unit):
    """Time grows with the length, not with its square: 20,000 characters of anything stay under half a second."""
    text = unit * (20_000 // len(unit))
    started = time.process_time()
    for module in (personal_rules, personal_labels, personal_misspellings, personal_cues):
        module.find(text)

    assert time.process_time() - started < 0.5
