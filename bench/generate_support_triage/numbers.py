"""Numbers that look right and lead to nobody.

Phones: ranges kept free for drama by Ofcom (UK), the NANPA (US, 555-01xx), the Bundesnetzagentur
(DE), Arcep (FR) and the ACMA (AU). Addresses on the net: RFC 5737 and RFC 3849. Cards: test-like
prefixes with a Luhn digit (ISO/IEC 7812-1). IBANs: ISO 13616 check digits over bank codes that are
not assigned. Social security numbers: areas from 900 with a group under 50, which is issued neither
as an SSN nor as an ITIN; areas 000 and 666 are never issued either but recognisers refuse them.
"""

from random import Random

LETTERS = "ABCDEFGHJKLMNPRSTVWX"


def digits(random: Random, count: int) -> str:
    """So many random digits."""
    return "".join(random.choice("0123456789") for _ in range(count))


def order_id(random: Random) -> str:
    """Two letters and six digits, such as ``AB-482913``."""
    return f"{random.choice(LETTERS)}{random.choice(LETTERS)}-{random.randrange(100_000, 1_000_000)}"


def phone(random: Random, country: str) -> tuple[str, str]:
    """One number, written for callers from abroad and from at home."""
    return {"uk": _british, "us": _american, "de": _german, "fr": _french, "au": _australian}[country](random)


def _british(random: Random) -> tuple[str, str]:
    line = f"{random.randrange(1000):03}"
    if random.random() < 0.5:
        return f"+44 7700 900{line}", f"07700 900{line}"
    return f"+44 20 7946 0{line}", f"(020) 7946 0{line}"


def _american(random: Random) -> tuple[str, str]:
    area = random.choice((202, 206, 212, 303, 312, 404, 415, 503, 512, 617, 702, 713, 718, 808, 816, 919))
    line = f"01{digits(random, 2)}"
    home = random.choice((f"({area}) 555-{line}", f"{area}-555-{line}", f"{area}.555.{line}"))
    return f"+1 {area} 555 {line}", home


def _german(random: Random) -> tuple[str, str]:
    area, start = random.choice((("30", "23125"), ("69", "90009"), ("40", "66969"), ("221", "4710"), ("89", "99998")))
    line = digits(random, 3)
    return f"+49 {area} {start}{line}", random.choice((f"0{area}/{start}{line}", f"0{area} {start} {line}"))


def _french(random: Random) -> tuple[str, str]:
    start = random.choice(("1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49", "6 39 98"))
    line = f"{digits(random, 2)} {digits(random, 2)}"
    return f"+33 {start} {line}", f"0{start} {line}"


def _australian(random: Random) -> tuple[str, str]:
    area, start = random.choice((("2", "5550"), ("2", "7010"), ("3", "5550"), ("3", "7010"), ("7", "5550")))
    line = digits(random, 4)
    return f"+61 {area} {start} {line}", f"(0{area}) {start} {line}"


def credit_card(random: Random) -> str:
    """A number whose last digit is its Luhn digit, in groups or in one."""
    head, length = random.choice((("400000", 16), ("555555", 16), ("601100", 16), ("378282", 15)))
    body = head + digits(random, length - len(head) - 1)
    number = body + luhn_digit(body)
    if length == 15:
        return random.choice((number, f"{number[:4]} {number[4:10]} {number[10:]}"))
    joint = random.choice(("", " ", " ", "-"))
    return joint.join(number[i : i + 4] for i in range(0, 16, 4))


def luhn_digit(body: str) -> str:
    """The digit that makes the sum over ``body`` and itself a multiple of ten."""
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(body))]
    return str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)


def iban(random: Random, country: str) -> str:
    """An account of a bank that does not exist, with valid check digits."""
    code, body = {
        "uk": ("GB", "TEST99" + digits(random, 12)),
        "us": ("NL", "TEST" + digits(random, 10)),
        "de": ("DE", "99999" + digits(random, 13)),
        "fr": ("AT", "99999" + digits(random, 11)),
        "au": ("GB", "DEMO99" + digits(random, 12)),
    }[country]
    rest = int("".join(str(int(c, 36)) for c in body + code + "00")) % 97
    number = f"{code}{98 - rest:02}{body}"
    return number if random.random() < 0.3 else " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def social_security(random: Random) -> str:
    """Well formed, and from a range that is never issued."""
    return f"{random.randrange(900, 1000)}-{random.randrange(1, 50):02}-{random.randrange(1000, 10_000)}"


def ip_address(random: Random) -> str:
    """From the networks kept for documentation."""
    if random.random() < 0.25:
        return (
            f"2001:db8:{random.randrange(16, 65_536):x}:{random.randrange(16, 65_536):x}::{random.randrange(2, 255):x}"
        )
    return f"{random.choice(('192.0.2', '198.51.100', '203.0.113'))}.{random.randrange(100, 255)}"
