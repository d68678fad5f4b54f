"""Locations: bytes that a recipe names by a URI and pins by a digest, found and checked before anything opens them.

A base model and a detector of personal data are both such bytes: a file or a folder on disk, a file of an installed
package (looked into, never imported), or a model of the Hugging Face hub. :class:`Wanted` says what is looked for, so
that a refusal names it.
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assay.errors import AssayError


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, for messages."""

    name: str
    """What stands first in a message, such as ``base``."""

    expected: str
    """What may stand there, with its article."""

    field: str
    """Where the recipe pins the digest."""

    error: type[AssayError]
    """What is raised if it is not there, or is something else."""

    read: tuple[str, ...]
    """Patterns of the files that are fetched from the hub."""

    suffixes: frozenset[str]
    """Of files in a package that might be meant."""


def locate(uri: str, folder: Path, wanted: Wanted, revision: str | None = None) -> Path:
    """Find what ``uri`` names: ``package:DISTRIBUTION/FILE``, ``hub:ORG/NAME``, or a path from ``folder``.

    Raises:
        wanted.error: nothing is there.
    """
    if uri.startswith("package:"):
        return in_package(*uri.removeprefix("package:").partition("/")[::2], wanted)
    if uri.startswith("hub:"):
        return _from_hub(uri.removeprefix("hub:"), wanted, revision)
    path = folder / uri
    if not path.exists():
        raise wanted.error(f"{wanted.name} {uri}: found nothing there, expected {wanted.expected}; correct `uri`")
    return path


def in_package(distribution: str, name: str, wanted: Wanted) -> Path:
    """Where a file of an installed package lies: the first whose path ends in ``name``."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        raise wanted.error(
            f"{wanted.name} package:{distribution}/{name}: the package is not installed; install {distribution}"
        ) from None
    for file in files:
        if f"/{file.as_posix()}".endswith(f"/{name}") and name:
            return Path(str(file.locate())).resolve()
    held = sorted(file.name for file in files if file.suffix in wanted.suffixes)
    raise wanted.error(
        f"{wanted.name} package:{distribution}/{name}: no such file, the package holds {held}; correct `uri`"
    )


def _from_hub(repository: str, wanted: Wanted, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, revision=revision, allow_patterns=list(wanted.read)))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        raise wanted.error(
            f"{wanted.name} hub:{repository}@{revision or 'main'}: not downloaded ({type(error).__name__}); check the "
            "name, the revision, the token and the network, or give a local folder"
        ) from error


def sha256(file: Path) -> str:
    """Name the bytes of one file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest(files: Iterable[Path], folder: Path) -> str:
    """Name the bytes of some files of a folder: sha256 of ``{path: sha256}`` as JSON, keys sorted, without spaces.

    A file added, renamed or altered changes it.
    """
    entries = {file.relative_to(folder).as_posix(): sha256(file) for file in files}
    return hashlib.sha256(json.dumps(entries, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def verify(path: Path, found: str, expected: str, wanted: Wanted) -> None:
    """Check that the digest of what lies at ``path`` is the one that the recipe pins.

    Raises:
        wanted.error: it is another.
    """
    if found != expected:
        raise wanted.error(
            f"{wanted.name} {path.name}: found sha256 {found}, expected {expected}; restore the file, or review the "
            f"new weights and pin their digest in `{wanted.field}`"
        )
