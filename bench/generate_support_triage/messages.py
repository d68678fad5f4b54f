"""Messages put together from wordings: a request, what surrounds it, and the cue to its urgency.

The priority is decided here and shows in the text: *high* if the message names a deadline, anger,
danger or money lost; *low* if it is an idle question or says that there is no rush; else *normal*.
"""

from dataclasses import dataclass
from random import Random

from bench.generate_support_triage import typos
from bench.generate_support_triage.pieces import Piece, cut, fill, slots
from bench.generate_support_triage.wordings import Core, Priority, Wording, cores, fillers, intents, parts

ORDERED = {
    **dict.fromkeys(("refund", "exchange", "cancel", "delivery", "damaged", "invoice", "payment"), 0.95),
    **dict.fromkeys(("warranty", "address"), 0.9),
    **dict.fromkeys(("loyalty", "complaint", "product"), 0.5),
    **dict.fromkeys(("account", "login"), 0.25),
}
"""How often a message of an intent that may name an order does."""

DETAILS = {
    "refund": ("IBAN", "IBAN", "CREDIT_CARD", "EMAIL"),
    "exchange": ("PHONE", "ADDRESS", "PERSON"),
    "cancel": ("EMAIL", "ACCOUNT_ID", "PERSON", "CREDIT_CARD"),
    "delivery": ("ADDRESS", "PHONE", "CITY", "PERSON"),
    "damaged": ("URL", "PHONE", "PERSON", "ADDRESS"),
    "invoice": ("EMAIL", "ADDRESS", "ACCOUNT_ID", "SSN"),
    "payment": ("CREDIT_CARD", "CREDIT_CARD", "IBAN", "IP_ADDRESS"),
    "account": ("DATE_OF_BIRTH", "SECRET", "USERNAME", "SSN"),
    "login": ("USERNAME", "SECRET", "SECRET", "IP_ADDRESS", "EMAIL"),
    "warranty": ("PHONE", "ADDRESS", "URL"),
    "product": ("CITY", "EMAIL", "PERSON", "URL"),
    "complaint": ("PERSON", "PHONE", "URL", "IP_ADDRESS"),
    "address": ("PERSON", "PHONE", "ACCOUNT_ID"),
    "loyalty": ("ACCOUNT_ID", "DATE_OF_BIRTH", "USERNAME"),
}
"""Personal details that go with an intent."""

ANYWHERE = ("PERSON", "EMAIL", "PHONE", "CITY", "ACCOUNT_ID", "ADDRESS", "DATE_OF_BIRTH")
SIGNATURES = (
    "{name}", "{name}", "{given}", "{given}", "{name}\n{phone}", "{name}\n{address}\n{city}", "{name}, {account}",
    "{given}\n{email}",
)  # fmt: skip
CHANNELS = ("email", "email", "email", "email", "chat", "chat", "chat", "web", "web", "phone")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before anybody's values are put in, and the triage it calls for."""

    pieces: tuple[Piece, ...]
    core: Core
    priority: Priority
    channel: str

    @property
    def personal(self) -> frozenset[str]:
        """The personal slots in it."""
        return frozenset(piece.text for piece in self.pieces if piece.personal)

    @property
    def words(self) -> int:
        """Words, each personal value counted as part of one."""
        return len("".join("x" if piece.personal else piece.text for piece in self.pieces).split())


class Author:
    """Writes drafts from one stock of wordings, using each core sentence about equally often."""

    def __init__(self, random: Random, wording: Wording) -> None:
        self._random = random
        self._parts = parts(wording)
        self._fillers = fillers(wording)
        self._cores = cores(wording)
        self._piles: dict[tuple[str, bool], list[Core]] = {}
        self._intents: list[str] = []

    def next_intent(self) -> str:
        """Intents in random order, all equally often."""
        if not self._intents:
            self._intents = self._random.sample(intents(), len(intents()))
        return self._intents.pop()

    def draft(self, intent: str) -> Draft:
        """A message of ``intent``; every third or so holds nothing personal."""
        random = self._random
        bare = random.random() < 0.33
        core = self._core(intent, bare=bare)
        cue, priority = self._cue(core)
        order = "" if bare else self._order(core)
        channel = "email" if order == "quoted" else random.choice(CHANNELS)
        body = self._body(core, cue, order, bare=bare)
        text = self._dress(body, channel, bare=bare, ordered=order == "quoted")
        pieces = self._slip(cut(fill(random, text, self._fillers)), channel)
        return Draft(tuple(pieces), core, priority, channel)

    def context(self) -> str:
        """A sentence that says nothing about the request."""
        return fill(self._random, self._random.choice(self._parts["context"]), self._fillers)

    def agent(self) -> str:
        """A turn of the support team that names nobody."""
        return self._bare("agent")

    def _core(self, intent: str, *, bare: bool) -> Core:
        pile = self._piles.setdefault((intent, bare), [])
        if not pile:
            pile += [core for core in self._cores[intent] if not (bare and slots(core.text))]
            self._random.shuffle(pile)
        return pile.pop()

    def _cue(self, core: Core) -> tuple[str, Priority]:
        draw = self._random.random()
        if core.priority == "high":
            return (self._pick("high") if draw < 0.25 else ""), "high"
        if core.priority == "low":
            return (self._pick(self._random.choice(("low", "low.idle"))) if draw < 0.55 else ""), "low"
        if draw < 0.24:
            return self._pick("high"), "high"
        if draw < 0.40:
            return self._pick("low"), "low"
        return "", "normal"

    def _order(self, core: Core) -> str:
        """How the order is named: in the core, in a sentence, in the quoted turn, or not at all."""
        if "order" in slots(core.text):
            return self._pick("decoy") if self._random.random() < 0.15 else "core"
        if self._random.random() > ORDERED[core.intent] * (0.6 if core.priority == "low" else 1):
            return ""
        draw = self._random.random()
        if draw < 0.12:
            return "quoted"
        return self._pick("decoy") if draw < 0.27 else self._pick("order")

    def _body(self, core: Core, cue: str, order: str, *, bare: bool) -> list[str]:
        random = self._random
        before = [self._pick("context")] if random.random() < 0.6 else []
        after = [self._pick("context")] if random.random() < 0.25 else []
        if "{" in order:
            (before if random.random() < 0.25 else after).append(order)
        if not bare:
            after += self._details(core.intent, named=bool(order))
        if cue:
            (before if random.random() < 0.2 else after).append(cue)
        random.shuffle(after)
        return [*before, core.text, *after]

    def _details(self, intent: str, *, named: bool) -> list[str]:
        random = self._random
        count = random.choices((0, 1, 2), (3, 5, 2) if named else (0, 4, 2))[0]
        kinds = {random.choice(DETAILS[intent] if random.random() < 0.7 else ANYWHERE) for _ in range(count)}
        return [self._pick(f"detail.{kind}") for kind in sorted(kinds)]

    def _dress(self, body: list[str], channel: str, *, bare: bool, ordered: bool) -> str:
        random = self._random
        if channel == "phone":
            return " ".join(body if bare else [self._pick("intro"), *body])
        if channel == "chat":
            return " ".join([self._pick("greeting").lower(), *body] if random.random() < 0.4 else body)
        text = f"{self._pick('greeting')}\n\n{self._paragraphs(body)}" if random.random() < 0.8 else " ".join(body)
        if channel == "web" and random.random() < 0.3:
            text += self._list(bare=bare or "{phone}" in text)
        if random.random() < 0.75:
            text += f"\n\n{self._pick('closing')}"
            text += "" if bare or random.random() < 0.25 else f"\n{random.choice(SIGNATURES)}"
        if ordered or (channel == "email" and random.random() < 0.2):
            text = self._thread(text, bare=bare, ordered=ordered)
        return text

    def _paragraphs(self, body: list[str]) -> str:
        at = self._random.randrange(1, len(body)) if len(body) > 2 and self._random.random() < 0.4 else 0
        return "\n\n".join(" ".join(part) for part in (body[:at], body[at:]) if part)

    def _list(self, *, bare: bool) -> str:
        facts = self._random.sample(self._parts["fact"], 2)
        lines = facts if bare else [*facts, self._pick("detail.PHONE")]
        return "\n\n" + "\n".join([self._pick("listing"), *(f"- {line}" for line in lines)])

    def _thread(self, text: str, *, bare: bool, ordered: bool) -> str:
        turn = self._pick("agent_order") if ordered else self._bare("agent") if bare else self._pick("agent")
        quoted = f"{self._pick('thread')}\n> {turn}"
        return f"{quoted}\n\n{text}" if self._random.random() < 0.5 else f"{text}\n\n{quoted}"

    def _pick(self, section: str) -> str:
        return self._random.choice(self._parts[section])

    def _bare(self, section: str) -> str:
        return self._random.choice([line for line in self._parts[section] if not slots(line)])

    def _slip(self, pieces: list[Piece], channel: str) -> list[Piece]:
        """Typos, and for chats the manners of chats; personal values stay as they are."""
        random = self._random
        chat = channel == "chat"
        lower, dotless = chat and random.random() < 0.6, chat and random.random() < 0.5
        count = random.choice((0, 1, 2, 3) if chat else (0, 0, 0, 1, 2))
        for _ in range(count):
            at = random.choice([i for i, piece in enumerate(pieces) if not piece.personal])
            pieces[at] = Piece(typos.misspell(random, pieces[at].text))
        return [piece if piece.personal else Piece(_chatty(piece.text, lower, dotless)) for piece in pieces]


def _chatty(text: str, lower: bool, dotless: bool) -> str:  # noqa: FBT001
    text = text.lower() if lower else text
    return text.replace(". ", " ").removesuffix(".").replace(",", "") if dotless else text
