"""Invented values have the right shape and lead to nobody."""

import ipaddress
import json
from random import Random

import pytest

from assay.policy import ENTITY_TYPES
from assay.privacy.detection.personal_rules import passes_luhn, passes_mod97
from assay.privacy.invented import DOMAINS, Inventor, luhn_digit
from assay.privacy.measurement import carriers

NETWORKS = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def values(kind, count=200):
    """So many values, from one inventor each."""
    return [Inventor(Random(number)).value(kind) for number in range(count)]


def test_every_type_that_is_known_can_be_invented_and_carried():
    """A type without values or sentences would never be measured."""
    assert set(Inventor(Random(1)).types) == set(ENTITY_TYPES) == set(carriers.SENTENCES)


@pytest.mark.parametrize("kind", ENTITY_TYPES)
def test_a_value_can_stand_in_a_json_string(kind):
    """A completion that is JSON must stay so, with the value at the same characters."""
    assert all(json.loads(f'"{value}"') == value.strip() == value for value in values(kind))


@pytest.mark.parametrize("kind", ENTITY_TYPES)
def test_values_vary_and_chance_alone_decides_them(kind):
    """The same seed invents the same, another seldom does."""
    assert values(kind) == values(kind)
    assert len(set(values(kind))) > 60


def test_numbers_with_check_digits_pass_their_check():
    """Else a rule that computes it would be right to refuse them."""
    assert all(map(passes_luhn, values("CREDIT_CARD")))
    assert all(map(passes_mod97, values("IBAN")))
    assert luhn_digit("7992739871") == "3"


def test_numbers_and_names_on_the_net_are_kept_for_examples():
    """RFC 2606, RFC 6761, RFC 5737 and RFC 3849."""
    assert {value.partition("@")[2] for value in values("EMAIL")} <= set(DOMAINS)
    assert all(any(ipaddress.ip_address(value) in network for network in NETWORKS) for value in values("IP_ADDRESS"))
    assert all(".example" in value or "example." in value for value in values("URL"))


def test_social_security_numbers_are_never_issued():
    """US areas from 900 with a low group, or UK prefixes that are not in use."""
    for value in values("SSN"):
        american = value[0] == "9" and int(value[4:6]) < 50
        assert american or value[:2] in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def test_each_carrier_sentence_has_one_gap():
    """For one value; plain messages have none left."""
    assert all(sentence.count("{}") == 1 for rows in carriers.SENTENCES.values() for sentence in rows)
    assert not any(set("{}[]") & set(carriers.plain(Random(number), 6)) for number in range(100))
