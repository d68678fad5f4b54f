"""Anchors save time and change nothing."""

from random import Random

import pytest

from assay.privacy.detection import personal_labels, personal_rules
from assay.privacy.detection.personal_anchors import Table, anchored, dispatch, heads, rule
from assay.privacy.invented import Inventor
from assay.privacy.measurement import carriers
from assay.privacy.patterns import Span


def messages(count):
    """Sentences of every type with invented values, some in small letters."""
    random = Random(7)
    inventor = Inventor(random)
    for number in range(count):
        kinds = random.sample(sorted(carriers.SENTENCES), 3)
        text = " ".join(random.choice(carriers.SENTENCES[kind]).format(inventor.value(kind)) for kind in kinds)
        yield text.lower() if number % 4 == 0 else text


@pytest.mark.parametrize("module", [personal_rules, personal_labels])
def test_a_rule_finds_what_it_would_find_if_it_were_tried_everywhere(module):
    """No head and no gate is forgotten."""
    for text in messages(300):
        everywhere = {
            (rule.type, match.span("value" if "value" in rule.pattern.groupindex else 0))
            for rule in module.RULES.rules
            for match in rule.pattern.finditer(text)
            if rule.check(match["value" if "value" in rule.pattern.groupindex else 0])
        }
        found = {(span.type, (span.start, span.end)) for span in module.RULES.find(text)}

        assert everywhere <= found


def test_what_begins_with_a_head_is_tried_there():
    """Whatever its case, and also where a letter is two in small."""
    table = dispatch([(heads("order"), "O"), (heads("id"), "I")])

    assert list(anchored("İ ORDERS, disorder; the ID: 1", table)) == [("O", 2), ("I", 24)]


def test_a_space_belongs_to_a_head_as_a_dot():
    """A word of two letters is known by what follows it."""
    assert list(anchored("my key, mystery", dispatch([(heads("my·"), "M")]))) == [("M", 0)]


def test_without_its_gate_a_rule_is_not_tried():
    """The gate must be in the text."""
    table = Table([rule("PHONE", 0.9, r"call \d+", gate="#"), rule("URL", 0.5, r"(?P<value>x)y")])

    assert list(table.find("call 12 xy")) == [Span(8, 9, "URL", 0.5)]
    assert len(list(table.find("# call 12"))) == 1
