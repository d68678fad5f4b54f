"""Files: what a recipe names by URI, read once and pinned by digest."""

import fsspec

from assay.artifacts import Artifact
from assay.errors import RecipeError
from tasks.places import store


def contents(uri: str, what: str) -> bytes:
    """The bytes at ``uri``, or :class:`RecipeError`."""
    try:
        with fsspec.open(uri, "rb") as file:
            return bytes(file.read())
    except (OSError, ValueError, ImportError) as error:
        found = "nothing" if isinstance(error, FileNotFoundError) else type(error).__name__
        raise RecipeError(f"{what}: found {found} at {uri}; expected a file. Check the path.") from None


def pinned(uri: str, kind: str, digest: str | None) -> Artifact:
    """The file at ``uri`` in the store, or :class:`RecipeError` if it is not there or is another than was named."""
    artifact = store().put(kind, contents(uri, kind))
    if digest not in (None, artifact.digest):
        raise RecipeError(
            f"{kind} {uri}: found bytes with digest {artifact.digest[:12]}; expected {str(digest)[:12]}. "
            "Restore the file, or put the new digest in the recipe."
        )
    return artifact
