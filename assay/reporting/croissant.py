"""Croissant: what a dataset version is, for machines.

:func:`document` says what the card says as JSON-LD, in the terms of Croissant 1.1 (MLCommons 2026,
http://mlcommons.org/croissant/1.1), which describes files and fields, and of its vocabulary for responsible use
(http://mlcommons.org/croissant/RAI/1.0), which describes provenance, bias and limits.

The files of records hold texts, and are not laid out beside the document: they are in the deployment's artefact store,
each under its sha256, and the document says so. To load them, lay each out at :func:`place`, from the document on.

Each is a ``FileObject`` with its sha256. Each side is a record set. One of a single file is read from that file, and a
loader such as mlcroissant holds its bytes against the sha256; one of several files is read from a ``FileSet`` that
lists them, whose bytes no loader checks for you, although each file's sha256 is given and is its name.

The version is ``1.0.0+`` and the digest of all records: in the terms of https://semver.org the part behind the plus
names a build. Nothing here is read from a clock; equal content gives equal bytes.
"""

import json
import re
from collections.abc import Iterator

from assay.artifacts import JSON
from assay.reporting import claims
from assay.reporting.dataset import Content, Shard, Side, Slice

VERSION = 2

CONFORMS_TO = ("http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0")
PARQUET = "application/x-parquet"

_CONTEXT: dict[str, JSON] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that Croissant 1.1 asks for, in full: loaders compare it."""

_SPDX = re.compile(
    r"(?:CC0-1\.0|CC-BY(?:-NC)?(?:-SA|-ND)?-[1-4]\.0|CC-PDDC|PDDL-1\.0|ODC-By-1\.0|ODbL-1\.0|O?C-UDA-1\.0"
    r"|CDLA-(?:Permissive|Sharing)-[12]\.0|OGL-UK-[123]\.0|Apache-2\.0|MIT|BSD-[23]-Clause|[AL]?GPL-[23]\.[01]-(?:only|or-later))"
)
"""Licences of data and text that have a page at spdx.org; another one is given in its own words."""

_COLUMNS = {
    "id": "Unique in the data set; not personal data.",
    "subject": "Keyed pseudonym of whom the record is about.",
    "source": "Name of the source that the record came from.",
    "completion": "The answer to learn, redacted.",
}
_NESTED = {
    "context": ("What was said before the completion, redacted: one turn after another.", ("role", "content")),
    "attributes": ("What else is known of the record, by name.", ("type", "value")),
}


def document(content: Content) -> bytes:
    """``content`` as a Croissant document: JSON-LD."""
    sides = [side for side in content.sides if side.shards]
    said: dict[str, JSON] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": content.name,
        "description": _description(content),
        "conformsTo": list(CONFORMS_TO),
        "version": f"1.0.0+{content.version.removeprefix('sha256:')}",
        "license": [_licence(one) for one in sorted({source.licence for source in content.sources})],
        "creator": _organisation(content.owner),
        "publisher": _organisation(content.owner),
        "citeAs": _citation(content),
        "isLiveDataset": False,
        **({"datePublished": content.published} if content.published else {}),
        **_responsible(content),
        "distribution": [entry for side in sides for entry in _distribution(side)],
        "recordSet": [_record_set(side) for side in sides],
    }
    return json.dumps(said, indent=1, ensure_ascii=False).encode() + b"\n"


def place(side: str, digest: str) -> str:
    """Where a loader looks for a file of records, from the document on; who may read it lays it out there."""
    return f"records/{side}/{digest}.parquet"


def _distribution(side: Side) -> Iterator[JSON]:
    for shard in dict.fromkeys(side.shards):
        yield {
            "@type": "cr:FileObject",
            "@id": _file(side, shard),
            "name": f"{shard.digest}.parquet",
            "description": f"Records for {side.name}. In the artefact store of the deployment, under its sha256.",
            "contentUrl": place(side.name, shard.digest),
            "contentSize": f"{shard.size} B",
            "encodingFormat": PARQUET,
            "sha256": shard.digest,
        }
    if len(side.shards) > 1:
        yield {
            "@type": "cr:FileSet",
            "@id": f"{side.name}-files",
            "name": f"{side.name}-files",
            "description": f"All files of records for {side.name}.",
            "encodingFormat": PARQUET,
            "includes": [place(side.name, shard.digest) for shard in dict.fromkeys(side.shards)],
        }


def _record_set(side: Side) -> JSON:
    return {
        "@type": "cr:RecordSet",
        "@id": side.name,
        "name": side.name,
        "description": f"{side.rows:,} records for {side.name}.",
        "key": {"@id": f"{side.name}/id"},
        "field": [
            *(_field(side, column, column, said) for column, said in _COLUMNS.items()),
            *(_nested(side, column, said, parts) for column, (said, parts) in _NESTED.items()),
        ],
    }


def _field(side: Side, name: str, column: str, said: str, part: str = "") -> dict[str, JSON]:
    source: dict[str, JSON] = {**_read_from(side), "extract": {"column": column}}
    if part:
        source["transform"] = {"jsonPath": part}
    return {
        "@type": "cr:Field",
        "@id": f"{side.name}/{name}",
        "name": name.rpartition("/")[2],
        "description": said,
        "dataType": "sc:Text",
        "source": source,
    }


def _nested(side: Side, column: str, said: str, parts: tuple[str, ...]) -> JSON:
    """A column that holds a list of pairs: a field of two, repeated."""
    return {
        "@type": "cr:Field",
        "@id": f"{side.name}/{column}",
        "name": column,
        "description": said,
        "isArray": True,
        "arrayShape": "-1",
        "subField": [_field(side, f"{column}/{part}", column, f"Its {part}.", part) for part in parts],
    }


def _read_from(side: Side) -> dict[str, JSON]:
    if len(side.shards) == 1:
        return {"fileObject": {"@id": _file(side, side.shards[0])}}
    return {"fileSet": {"@id": f"{side.name}-files"}}


def _file(side: Side, shard: Shard) -> str:
    return f"{side.name}-{shard.digest[:16]}"


def _responsible(content: Content) -> dict[str, JSON]:
    """The vocabulary for responsible use."""
    return {
        "rai:dataCollection": " ".join(
            f"{source.name}: {source.rows:,} records, licence {source.licence}, lawful basis: {source.lawful_basis}."
            for source in content.sources
        ),
        "rai:dataCollectionRawData": " ".join(
            f"{source.name}: sha256 {source.digest or 'not given'}." for source in content.sources
        ),
        "rai:dataPreprocessingProtocol": [
            f"{passage.step}: {passage.taken:,} records in, {passage.passed:,} out, {passage.dropped:,} dropped"
            for passage in content.path
        ],
        "rai:dataAnnotationProtocol": _annotation(content),
        "rai:personalSensitiveInformation": _personal(content),
        "rai:dataBiases": [_bias(slice_) for slice_ in content.slices] or ["Not measured."],
        "rai:dataLimitations": list(content.not_known),
        "rai:dataUseCases": [content.purpose, content.intended_use],
        "rai:dataReleaseMaintenancePlan": (
            f"Kept by {content.owner}. A version never changes: another source, policy, correction or method makes "
            "another version, with a document of its own."
        ),
    }


def _personal(content: Content) -> list[JSON]:
    """What was looked for, what redaction was shown to find, and what it replaced."""
    by = {True: "invented values", False: "placeholders"}
    return [
        f"Looked for: {', '.join(content.redaction.entities)}. What no detector knows is not replaced.",
        claims.for_machines(content.redacting) if content.redacting else "How much is found was not measured.",
        *(
            f"{kind}: {rows:,} values replaced by {by[kind in content.redaction.surrogates]}"
            for kind, rows in sorted(content.personal.counts.items())
        ),
    ]


def _annotation(content: Content) -> str:
    waiting = sum(content.suspects.values())
    queue = f"{waiting:,} doubts about records of this version wait for review."
    if not content.corrections:
        return f"Labels are those of the sources; nobody has corrected a record. {queue}"
    actions = ", ".join(f"{action} {rows:,}" for action, rows in sorted(content.corrections.actions.items()))
    lost = f" {absent:,} decisions found no record." if (absent := content.corrections.absent) else ""
    return (
        f"Labels are those of the sources, corrected by people on single records ({actions}; file sha256 "
        f"{content.corrections.digest}).{lost} {queue}"
    )


def _bias(slice_: Slice) -> str:
    said = f"Labels by {slice_.attribute}, {slice_.n:,} records"
    if slice_.cramers_v is not None:
        said += f": Cram\u00e9r's V {slice_.cramers_v:.3g}"
    if slice_.p_value is not None:
        said += f", p {slice_.p_value:.2g}, not corrected for the number of attributes"
    if slice_.ratio is not None:
        said += f"; lowest over highest rate {slice_.ratio:.3g} for the label {slice_.label_of_ratio}"
        if slice_.p_value_of_ratio is not None:
            said += f" (p {slice_.p_value_of_ratio:.2g}, corrected for the number of labels)"
    return said


def _description(content: Content) -> str:
    sides = ", ".join(f"{side.rows:,} for {side.name}" for side in content.sides if side.rows)
    return (
        f"{content.purpose} {content.rows:,} redacted records about {content.profile.subjects:,} subjects: {sides}. "
        "The files of records are not beside this document: they are in the artefact store of the deployment, each "
        "under its sha256, for those who may read it. To load them, lay each out at its contentUrl."
    )


def _citation(content: Content) -> str:
    short = content.version.removeprefix("sha256:")
    return (
        f"@misc{{{content.name}-{short[:12]}, title = {{{content.name}}}, author = {{{{{content.owner}}}}}, "
        f"note = {{dataset version sha256:{short}}}}}"
    )


def _organisation(owner: str) -> JSON:
    return {"@type": "sc:Organization", "name": owner, **({"email": owner} if "@" in owner else {})}


def _licence(name: str) -> str:
    return f"https://spdx.org/licenses/{name}.html" if _SPDX.fullmatch(name) else name
