"""Files that are named on the command line: read, or one line that says what is wrong with them."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import RecipeError

if TYPE_CHECKING:
    from assay.spec import RunSpec


def read(path: str | Path, what: str) -> bytes:
    """The bytes of a file; of standard input if its path is ``-``.

    Raises:
        RecipeError: it is not there, or cannot be read.
    """
    if str(path) == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        found = "nothing" if isinstance(error, FileNotFoundError) else (error.strerror or type(error).__name__).lower()
        raise RecipeError(f"{what}: found {found} at {path}; expected a file. Check the path.") from None


def is_recipe(path: str) -> bool:
    """Whether a path names a recipe rather than data."""
    return Path(path).is_dir() or Path(path).suffix in (".yaml", ".yml")


def recipe(path: str) -> "tuple[Path, RunSpec]":
    """The file of a recipe, or of the folder that holds one, and the recipe as it is written there.

    Raises:
        RecipeError: it is not there, or is wrong.
    """
    from assay import recipes

    file = Path(path)
    file = (file / "recipe.yaml" if file.is_dir() else file).absolute()
    return file, recipes.parse(read(file, "recipe"), file.name)
