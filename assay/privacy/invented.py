"""Invented: personal values of every type that have the right shape and lead to nobody.

=============  ========================================================================================
type           where its values come from
=============  ========================================================================================
PERSON, CITY   syllables of thirteen origins, put together here; a match with somebody is an accident
EMAIL, URL     domains kept for examples (RFC 2606, RFC 6761)
PHONE          numbers kept for drama: Ofcom (UK), NANPA 555-01xx, Bundesnetzagentur, Arcep, ACMA
IP_ADDRESS     networks kept for documentation (RFC 5737, RFC 3849)
CREDIT_CARD    prefixes of test cards, a valid check digit (ISO/IEC 7812-1, annex B)
IBAN           bank codes that are not assigned, valid check digits (ISO 13616-1)
SSN            US areas from 900 with a group under 50, never issued as SSN or ITIN; UK prefixes that
               HMRC does not use (BG, GB, KN, NK, NT, TN, ZZ)
the rest       random; an order, a street or a password of no company, town or account
=============  ========================================================================================

No value holds a quotation mark, a backslash or a control character, so that one can stand inside a JSON string.
Some shapes are harder for a detector than they need to be: a US number from a range that is never issued is refused by
rules that know the range, and must be found by the words around it.
"""

import datetime as dt
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import NamedTuple

VERSION = 1

LETTERS = "ABCDEFGHJKLMNPRSTVWXYZ"
DIGITS = "0123456789"
ALPHABET = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"

DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example", "kontor.example")
SITES = ("https://www.example.com", "https://example.org", "http://shop.example.net", "www.example.com")


class Origin(NamedTuple):
    """Beginnings and ends of given and of family names, as one part of the world has them."""

    given_heads: tuple[str, ...]
    given_tails: tuple[str, ...]
    family_heads: tuple[str, ...]
    family_tails: tuple[str, ...]


ORIGINS = tuple(
    Origin(*(tuple(part.split()) for part in line.split("|")))
    for line in """
Hel Wil Gun Ger Lud Irm | mut helm trud win ger linde | Orre Quan Heyde Falken Brams | mann stedt hofer auer kamp
Mila Rado Bogu Vlasti Stani | slav mir mila na ka vko | Dobro Zeli Pasto Lubo Hrabo | vsky nowicz chenko tović nková
Ro Ha El Tam Win Al | wan rold mer sin ston dith | Tregar Pen Hollin Wether Crannel | ton ley bourne worth shaw
Mari Alfon Lore Rami Consu Este | ana so na ro la lita | Monte Villa Casta Rive Pala | verde ñeda ira nelli dori
Ama Cla Séve Jo Thi | ndine risse rin celyn laine baut | Beau Mont Cha Fleu Lam | rivage tignac pelain rimont bertin
Sig Thor As Gud Hal Ing | rid bjørn trid run vard eborg | Sten Lind Berg Håk Sjö | qvist ström dahl holm gren
Ade Olu Chi Ngo Ife Kwa | bola mide nedu zi oma me | Oko Nwo Aki Oba Eze | royo kunle rie ntola ugwu
Ra Su Anu Vi Pri Meena | jesh nita pam kram ya kshi | Venka Chatto Ranga Bhatta Sri | raman padhyay swamy charya vastava
Fa Kha Ya Na Sa Ja | tima lid sin dira mir mila | Al-Ha El-Ma Ben Bou Had | ddad sri yahia zidi dawi
Ay Er Gül Meh Tur Öz | şe han can met gut lem | Y\u0131l Kara Dem Ak Çel | d\u0131z kaya irci soy ik
Xiao Wei Jing Ming Hui Zhi | lin hua mei jun ying qiang | Zh Ch W L Sh | ang en ong ao iu
Th Ng Ph Qu Tr Kh | anh uyen ong ang inh oa | Ngu Tr Ph Hu Du | yen an am ynh ong
Haru Aki Yoshi Nao Kei Tomo | ko hiro mi ya ta ki | Naka Yama Kawa Matsu Ishi | mura moto saki da guchi
""".strip().splitlines()
)
STEMS = "Kettle Marrow Winder Ashel Thorn Copper Larken Mossy Bramble Fennel Orchard Quarry Tanner Weaver Alder".split()  # noqa: SIM905
TOWN_ENDS = "bury mere ford stead haven wick field combe dale port".split()  # noqa: SIM905
WORDS = "Lantern Walrus Pepper Glacier Bumble Cobalt Saffron Tundra Mango Velvet Pickle Rocket".split()  # noqa: SIM905


Shapes = Mapping[str, Sequence[str]]
"""Of a type, the forms that its values have in the data, such as ``??-######`` for ``AB-482913``."""


class Inventor:
    """Invents values for one document: its mail, user name and page are those of a person in it, or of another."""

    def __init__(self, random: Random, shapes: Shapes = MappingProxyType({})) -> None:
        self._random, self._shapes = random, shapes
        self._names = [self._full_name()]
        self._makers: dict[str, Callable[[], str]] = {
            "ACCOUNT_ID": self._account,
            "ADDRESS": self._address,
            "CITY": self._city,
            "CREDIT_CARD": self._card,
            "DATE_OF_BIRTH": self._birthday,
            "EMAIL": self._email,
            "IBAN": self._iban,
            "IP_ADDRESS": self._ip,
            "ORDER_ID": self._order,
            "PERSON": self._person,
            "PHONE": self._phone,
            "SECRET": self._secret,
            "SSN": self._social_security,
            "URL": self._url,
            "USERNAME": self._username,
        }

    @property
    def types(self) -> tuple[str, ...]:
        """Every type that can be invented."""
        return tuple(self._makers)

    def value(self, kind: str) -> str:
        """A fresh value of one type, of one of its own shapes if it has any."""
        return self._shaped(self._pick(*self._shapes[kind])) if self._shapes.get(kind) else self._makers[kind]()

    def _shaped(self, shape: str) -> str:
        """``??-####`` with a letter for each question mark and a digit for each hash."""
        return "".join(self._letters(1) if c == "?" else self._digits(1) if c == "#" else c for c in shape)

    def _full_name(self) -> tuple[str, str]:
        origin = self._random.choice(ORIGINS)
        given = self._pick(*origin.given_heads) + self._pick(*origin.given_tails)
        return given, self._pick(*origin.family_heads) + self._pick(*origin.family_tails)

    def _person(self) -> str:
        given, family = self._full_name()
        self._names.append((given, family))
        forms = {
            f"{given} {family}": 62,
            given: 14,
            f"{given[0]}. {family}": 8,
            f"{given} {self._full_name()[0]} {family}": 7,
            f"{given} {family}-{self._full_name()[1]}": 5,
            f"{given} {self._pick('de', 'van', 'al', 'von', 'da')} {family}": 4,
        }
        return self._random.choices(list(forms), list(forms.values()))[0]

    def _somebody(self) -> tuple[str, str]:
        """Given and family name of a person of the document, in plain small letters."""
        given, family = self._random.choice(self._names)
        return _plain(given), _plain(family)

    def _address(self) -> str:
        stem, number = self._pick(*STEMS), self._random.randrange(1, 240)
        street = self._pick(
            f"{number} {stem} {self._pick('Street', 'Road', 'Lane', 'Close', 'Avenue', 'Drive', 'Court')}",
            f"{number} {stem} {self._pick('Street', 'Ave', 'Rd', 'Blvd')}, Apt {self._random.randrange(1, 40)}",
            f"Flat {self._random.randrange(1, 30)}, {number} {stem} {self._pick('Gardens', 'Terrace', 'Hill')}",
            f"{stem}{self._pick('straße', 'weg', 'gasse', 'allee')} {number}",
            f"{number} {self._pick('rue', 'avenue', 'impasse')} des {stem}s",
        )
        return self._pick(street, street, f"{street}, {self._postcode()}")

    def _postcode(self) -> str:
        """A code that no post office uses, and a town."""
        return self._pick(
            f"{self._town()} QX{self._random.randrange(1, 30)} {self._digits(1)}{self._letters(2)}",
            f"{self._town()}, {self._pick('OH', 'OR', 'ME', 'NM')} 00{self._digits(3)}",
            f"05{self._digits(3)} {self._town()}",
        )

    def _town(self) -> str:
        return self._pick(*STEMS) + self._pick(*TOWN_ENDS)

    def _city(self) -> str:
        town = self._town()
        return self._pick(town, town, f"{self._pick('North', 'Great', 'Old', 'Saint')} {town}", self._postcode())

    def _birthday(self) -> str:
        day = dt.date(1944, 1, 1) + dt.timedelta(days=self._random.randrange(61 * 365))
        forms = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d %B %Y", "%B %d, %Y")
        return day.strftime(self._pick(*forms))

    def _email(self) -> str:
        given, family = self._somebody()
        local = self._pick(
            f"{given}.{family}",
            f"{given[0]}.{family}",
            f"{family}_{given}",
            f"{given}{self._digits(2)}",
            f"{family}+shop",
        )
        return f"{local}@{self._pick(*DOMAINS)}"

    def _username(self) -> str:
        given, family = self._somebody()
        return self._pick(
            f"{given}{self._digits(3)}",
            f"{family}_{given[:3]}",
            f"{given}.{family}{self._digits(2)}",
            f"{self._pick(*WORDS).lower()}{family[:4]}{self._digits(2)}",
            f"x{given.capitalize()}{self._digits(1)}x",
        )

    def _url(self) -> str:
        given, family = self._somebody()
        page = self._pick(f"people/{given}-{family}", f"u/{family}{self._digits(3)}", f"~{given}")
        return f"{self._pick(*SITES)}/{page}"

    def _phone(self) -> str:
        line, area = self._digits(3), self._pick("212", "312", "415", "617", "808")
        return self._pick(
            f"+44 7700 900{line}",
            f"07700 900{line}",
            f"(020) 7946 0{line}",
            f"+1 {area} 555 01{line[:2]}",
            f"({area}) 555-01{line[:2]}",
            f"{area}-555-01{line[:2]}",
            f"+49 30 23125{line}",
            f"069/90009{line}",
            f"+33 1 99 00 {line[:2]} {self._digits(2)}",
            f"06 39 98 {line[:2]} {self._digits(2)}",
            f"+61 2 5550 {line}{line[0]}",
            f"(03) 5550 {line}{line[1]}",
            f"+447700900{line}",
        )

    def _ip(self) -> str:
        host = self._random.randrange(1, 255)
        return self._pick(
            f"192.0.2.{host}",
            f"198.51.100.{host}",
            f"203.0.113.{host}",
            f"2001:db8:{self._random.randrange(16, 65_536):x}::{host:x}",
        )

    def _order(self) -> str:
        return self._pick(
            f"{self._letters(2)}-{self._digits(6)}",
            f"{self._letters(2)}-{self._digits(6)}",
            f"{self._letters(1)}{self._digits(8)}",
            f"ORD-{self._digits(5)}-{self._digits(2)}",
            self._number(8),
            self._number(10),
            f"{self._number(3)}-{self._digits(7)}-{self._digits(7)}",
            f"{self._digits(4)}-{self._letters(4)}",
        )

    def _account(self) -> str:
        return self._pick(
            f"C-{self._number(5)}",
            f"CUST-{self._number(6)}",
            self._number(9),
            self._number(10),
            f"{self._letters(1)}{self._digits(7)}",
            f"AC {self._number(4)} {self._digits(4)}",
        )

    def _card(self) -> str:
        head = self._pick("400000", "555555", "601100", "378282")
        body = head + self._digits((14 if head == "378282" else 15) - len(head))
        number = body + luhn_digit(body)
        if head == "378282":
            return self._pick(number, f"{number[:4]} {number[4:10]} {number[10:]}")
        return self._pick("", " ", " ", "-").join(number[i : i + 4] for i in range(0, 16, 4))

    def _iban(self) -> str:
        bank, length = self._random.choice((("GBTEST99", 12), ("NLTEST", 10), ("DE99999", 13), ("AT99999", 11)))
        code, body = bank[:2], bank[2:] + self._digits(length)
        number = f"{code}{check_digits(code, body)}{body}"
        return self._pick(number, " ".join(number[i : i + 4] for i in range(0, len(number), 4)))

    def _social_security(self) -> str:
        american = f"{self._random.randrange(900, 1000)}-{self._random.randrange(1, 50):02}-{self._number(4)}"
        pair = [self._digits(2) for _ in range(3)]
        prefix = self._pick("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")
        return self._pick(american, f"{prefix} {' '.join(pair)} {self._pick(*'ABCD')}", f"{prefix}{''.join(pair)}A")

    def _secret(self) -> str:
        one, two = self._random.sample(WORDS, 2)
        return self._pick(
            self._number(4),
            self._number(6),
            self._number(6),
            f"{one}{self._pick(*'!$#%')}{self._digits(3)}{two.lower()}",
            f"{one}-{two}{self._digits(2)}",
            f"{one.lower()}{self._digits(4)}",
            f"sk_test_{self._code(24)}",
            f"ghp_{self._code(36)}",
        )

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _digits(self, count: int) -> str:
        return "".join(self._random.choices(DIGITS, k=count))

    def _number(self, count: int) -> str:
        """Digits of which the first is not 0."""
        return self._pick(*DIGITS[1:]) + self._digits(count - 1)

    def _letters(self, count: int) -> str:
        return "".join(self._random.choices(LETTERS, k=count))

    def _code(self, count: int) -> str:
        return "".join(self._random.choices(ALPHABET, k=count))


def luhn_digit(body: str) -> str:
    """The digit that makes Luhn's sum over ``body`` and itself a multiple of ten (ISO/IEC 7812-1, annex B)."""
    doubled = [int(d) * (2 - i % 2) for i, d in enumerate(reversed(body))]
    return str(-sum(n - 9 if n > 9 else n for n in doubled) % 10)  # noqa: PLR2004


def check_digits(code: str, body: str) -> str:
    """Check digits of the IBAN of country ``code`` and account ``body`` (ISO 13616-1, ISO 7064 mod 97-10)."""
    return f"{98 - int(''.join(str(int(c, 36)) for c in f'{body}{code}00')) % 97:02}"


def _plain(name: str) -> str:
    """Small letters from a to z."""
    marked = unicodedata.normalize("NFKD", name.replace("\u0131", "i").replace("ø", "o"))
    return "".join(c for c in marked.encode("ascii", "ignore").decode().lower() if c.isalpha())
