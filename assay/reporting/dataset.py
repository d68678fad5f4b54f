"""Dataset: the nouns that a data card is made of, for people and for machines.

:class:`Content` is all that a card says: counts, digests, the words of recipes and suites, and never the text of a
record. Like the nouns of :mod:`assay.reporting.content`, they are read from what the steps filed, and are blind
to whatever else is in it.
"""

from typing import Annotated

from pydantic import Field

from assay.artifacts import digest_of
from assay.reporting.content import Passage, Personal, Source, Standing, Suite
from assay.reporting.part import Part
from assay.reporting.redacting import Redacting

NOT_KNOWN = (
    "Whether labels are true: doubtful ones are listed for review; a mistake made alike everywhere looks right.",
    "Whom the records speak for: nothing here compares them with the requests that a model will meet.",
    "Paraphrases: duplicates and quoted test texts are found by shared words; the same in other words is not.",
    "Personal data that no detector knows: what is found is replaced, and some are known by what they say.",
    "Rights: licence and lawful basis are what the owner of the recipe declared. Nobody asked the sources again.",
    "Time: when the records were written is not recorded, so nothing is known of change.",
)
"""Said on every card whose content names nothing else."""


class Shard(Part):
    """A file of records."""

    digest: str
    size: int
    """Bytes."""


class Side(Part):
    """Where records ended."""

    name: str
    rows: int
    shards: tuple[Shard, ...] = ()

    @property
    def digest(self) -> str:
        """Of its shards' digests, in order."""
        return digest_of([shard.digest for shard in self.shards])


class Lengths(Part):
    """How long texts are, as :mod:`assay.data.profile` counts them."""

    bins: tuple[tuple[int, int], ...]
    """Lower edge and texts."""

    least: int
    median: int
    high: int
    """The 95th percentile."""

    most: int


class Column(Part):
    """How often each value occurs on a side; the same values, in the same order, on every side."""

    name: str
    distinct: int
    values: tuple[tuple[str, int], ...]
    other: int = 0
    unnamed: int = 0
    absent: int = 0


class Described(Part):
    """A side in numbers."""

    name: str
    rows: int
    subjects: int
    words: Lengths
    characters: Lengths
    labels: Column
    attributes: tuple[Column, ...] = ()
    placeholders: tuple[tuple[str, int], ...] = ()
    masked: int = 0


class Profile(Part):
    """All sides in numbers."""

    sides: tuple[Described, ...]
    edges: tuple[int, ...]
    subjects: int
    torn: int


class Slice(Part):
    """How far the labels of records differ between the values of an attribute."""

    attribute: str
    n: int
    """Records compared."""

    values: tuple[tuple[str, int], ...]
    """Value and its records."""

    ratio: float | None = None
    """A label's lowest rate among the values over its highest, where that is smallest; 1 if all are alike."""

    label_of_ratio: str | None = None
    p_value_of_ratio: float | None = None
    """Of this label's rates being the same for all values, corrected for the number of labels compared."""

    cramers_v: float | None = None
    """0, no association with the label, to 1."""

    p_value: float | None = None
    """Of no association; not corrected for the number of attributes."""


class Corrections(Part):
    """What people decided on single records."""

    digest: str
    """Of the file."""

    version: int
    """The last one in the file."""

    actions: dict[str, int]
    """Action → records that it was applied to."""

    absent: int = 0
    """Decisions whose record did not come by: it is no longer in the sources, or left before."""

    who: tuple[str, ...] = ()


class Redaction(Part):
    """What was looked for in the texts."""

    profile: str
    entities: tuple[str, ...]
    """Types that are replaced."""

    surrogates: tuple[str, ...]
    """Of those, the ones replaced by an invented value rather than a placeholder."""

    threshold: float
    max_characters: int


class Content(Part):
    """All that a card says."""

    name: str
    """Of the recipe."""

    version: str
    """Digest of the records on all sides."""

    purpose: str
    intended_use: str
    owner: str
    published: str | None = None
    """Day, if the version was published on one."""

    sources: Annotated[tuple[Source, ...], Field(min_length=1)]
    beside: tuple[Source, ...] = ()
    """Of examples that are learned beside the records, and stand on no side: a base's own answers."""

    path: tuple[Passage, ...]
    sides: tuple[Side, ...]
    suites: tuple[Suite, ...] = ()
    corrections: Corrections | None = None
    suspects: dict[str, int] = Field(default_factory=dict)
    """Kind → records of this version that somebody should look at."""

    profile: Profile
    slices: tuple[Slice, ...] = ()
    personal: Personal
    redaction: Redaction
    redacting: Redacting | None = None
    """How well redaction worked, if it was measured."""

    not_known: tuple[str, ...] = NOT_KNOWN
    identity: dict[str, str] = Field(default_factory=dict)
    """What else → digest: recipe, corrections, policy."""

    @property
    def rows(self) -> int:
        """Records on all sides."""
        return sum(side.rows for side in self.sides)

    @property
    def waivers(self) -> tuple[Standing, ...]:
        """Of every suite, each once."""
        return tuple(dict.fromkeys(standing for suite in self.suites for standing in suite.waivers))
