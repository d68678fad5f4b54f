"""Subjects who do not exist, and everything personal that a message may say about them."""

import datetime as dt
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bench.generate_support_triage import names, numbers

COUNTRIES = ("uk", "us", "de", "fr", "au")
REGIONS = {"uk": "uk", "us": "na", "de": "eu", "fr": "eu", "au": "apac"}
DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com", "post.example.org", "home.example.net")

TYPES = {
    "name": "PERSON",
    "given": "PERSON",
    "third": "PERSON",
    "him": "PERSON",
    "her": "PERSON",
    "email": "EMAIL",
    "phone": "PHONE",
    "phone_home": "PHONE",
    "address": "ADDRESS",
    "city": "CITY",
    "account": "ACCOUNT_ID",
    "card": "CREDIT_CARD",
    "iban": "IBAN",
    "ssn": "SSN",
    "ip": "IP_ADDRESS",
    "dob": "DATE_OF_BIRTH",
    "username": "USERNAME",
    "secret": "SECRET",
    "pin": "SECRET",
    "url": "URL",
    "order": "ORDER_ID",
    "other": "ORDER_ID",
}
"""Entity type of each personal slot."""


@dataclass(frozen=True, slots=True)
class Person:
    """One subject: the values of its personal slots, and where it lives."""

    country: str
    values: dict[str, str]

    @property
    def region(self) -> str:
        """Coarse enough to be no personal data."""
        return REGIONS[self.country]


class Separate:
    """Values of which none is part of another."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._joined = ""

    def add(self, value: str) -> bool:
        """Take ``value`` in, unless it is part of one before or one before is part of it."""
        parts = (value[i:j] for i in range(len(value)) for j in range(i + 1, len(value) + 1))
        if value in self._joined or any(part in self._values for part in parts):
            return False
        self._values.add(value)
        self._joined += value + "\n"
        return True


class Cast:
    """Casts people so that no two share a name, an address, a number or a key."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()
        self._surnames = Separate()
        self._separate = Separate()

    def person(self) -> Person:
        """Somebody new."""
        random = self._random
        country, origin = random.choice(COUNTRIES), random.choice(names.origins())
        women, men = random.sample(origin.women, 2), random.sample(origin.men, 2)
        given, surname = random.choice((women[0], men[0])), self._surname(origin)
        values = {
            "name": f"{given} {surname}",
            "given": given,
            "her": f"{women[1]} {surname}",
            "him": f"{men[1]} {surname}",
            "third": self._stranger(),
            **self._reach(given, surname, country),
            **self._papers(country),
        }
        return Person(country, values)

    def order(self) -> str:
        """An order number that nobody else has."""
        return self._fresh(lambda: numbers.order_id(self._random))

    def _reach(self, given: str, surname: str, country: str) -> dict[str, str]:
        random = self._random
        first, last = _plain(given), _plain(surname)
        mailbox = random.choice((f"{first}.{last}", f"{first[0]}.{last}", f"{last}_{first}", f"{last}{digits(random)}"))
        username = random.choice((f"{last[:7]}_{first[:3]}{digits(random)}", f"{first}{last[:5]}{digits(random)}"))
        international, home = self._phone(country)
        return {
            "email": self._fresh(lambda: f"{mailbox}@{random.choice(DOMAINS)}"),
            "phone": international,
            "phone_home": home,
            "address": self._apart(lambda: _address(random, country)),
            "city": self._fresh(lambda: _city(random, country)),
            "username": self._fresh(lambda: username),
            "url": self._fresh(lambda: f"https://www.example.{random.choice(('com', 'org'))}/people/{first}-{last}"),
        }

    def _papers(self, country: str) -> dict[str, str]:
        random = self._random
        return {
            "account": self._fresh(lambda: f"C-{random.randrange(10_000, 100_000)}"),
            "card": self._fresh(lambda: numbers.credit_card(random)),
            "iban": self._fresh(lambda: numbers.iban(random, country)),
            "ssn": self._fresh(lambda: numbers.social_security(random)),
            "ip": self._fresh(lambda: numbers.ip_address(random)),
            "dob": _birthday(random, country),
            "secret": self._fresh(lambda: _secret(random)),
            "pin": self._apart(lambda: numbers.digits(random, 6)),
        }

    def _stranger(self) -> str:
        origin = self._random.choice(names.origins())
        given = self._random.choice(origin.women + origin.men)
        return f"{given} {self._surname(origin)}"

    def _surname(self, origin: names.Origin) -> str:
        for attempt in range(10_000):
            name = names.surname(self._random, origin, long=attempt > 200)
            if self._surnames.add(name):
                return name
            origin = self._random.choice(names.origins())
        raise ValueError("found no unused surname in 10,000 draws; ask for fewer tickets")

    def _phone(self, country: str) -> tuple[str, str]:
        while True:
            international, home = numbers.phone(self._random, country)
            if international not in self._taken:
                self._taken.add(international)
                return international, home

    def _apart(self, make: Callable[[], str]) -> str:
        """A value that neither contains a value drawn here before nor is contained in one."""
        return self._fresh(make, self._separate)

    def _fresh(self, make: Callable[[], str], separate: Separate | None = None) -> str:
        for _ in range(10_000):
            value = make()
            if value not in self._taken and (separate is None or separate.add(value)):
                self._taken.add(value)
                return value
        raise ValueError("found no unused value in 10,000 draws; ask for fewer tickets")


def digits(random: Random) -> str:
    """Two or three digits behind a name."""
    return numbers.digits(random, random.choice((2, 3)))


def _plain(name: str) -> str:
    ascii_name = (
        unicodedata.normalize("NFKD", name.replace("\N{LATIN SMALL LETTER DOTLESS I}", "i"))
        .encode("ascii", "ignore")
        .decode()
    )
    return ascii_name.lower()


def _address(random: Random, country: str) -> str:
    number = random.randrange(1, 240)
    if country == "de":
        stem, end = random.choice(names.words("streets.de")), random.choice(("weg", "straße", "gasse", "allee"))
        return f"{stem}{end} {number}"
    if country == "fr":
        kind, stem = random.choice(("rue", "avenue", "impasse", "allée")), random.choice(names.words("streets.fr"))
        return f"{number} {kind} des {stem}"
    stem = random.choice(names.words("streets"))
    kinds = {
        "uk": ("Road", "Lane", "Close", "Terrace"),
        "us": ("Street", "Avenue", "Drive", "Court"),
        "au": ("Street", "Parade", "Crescent", "Road"),
    }
    flat = f", Apt {random.randrange(1, 30)}" if country == "us" and random.random() < 0.3 else ""
    return f"{number} {stem} {random.choice(kinds[country])}{flat}"


def _city(random: Random, country: str) -> str:
    """A postcode outside the ranges in use, and an invented town."""
    town = random.choice(names.words(f"towns.{country}"))
    if country == "uk":
        code = f"QX{random.randrange(1, 30)} {random.randrange(1, 10)}{random.choice(numbers.LETTERS)}"
        return f"{town} {code}{random.choice(numbers.LETTERS)}"
    if country == "us":
        return f"{town}, {random.choice(('OH', 'OR', 'ME', 'NM', 'GA'))} 00{numbers.digits(random, 3)}"
    if country == "au":
        return f"{town} {random.choice(('NSW', 'VIC', 'QLD'))} 00{numbers.digits(random, 2)}"
    return f"{'00' if country == 'fr' else '05'}{numbers.digits(random, 3)} {town}"


def _birthday(random: Random, country: str) -> str:
    day = dt.date(1948, 1, 1) + dt.timedelta(days=random.randrange(57 * 365))
    written = {"us": "%m/%d/%Y", "de": "%d.%m.%Y", "fr": "%d/%m/%Y", "uk": "%d/%m/%Y", "au": "%d-%m-%Y"}
    return random.choice((day.strftime(written[country]), day.isoformat(), f"{day.day} {day.strftime('%B %Y')}"))


def _secret(random: Random) -> str:
    one, two = random.sample(names.words("secrets"), 2)
    return random.choice(
        (
            f"{one}{random.choice('!$#%')}{numbers.digits(random, 3)}{two.lower()}",
            f"{one}-{two}{numbers.digits(random, 4)}",
        )
    )
