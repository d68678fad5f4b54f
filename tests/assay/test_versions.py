"""A method that changes must say so: cache keys read ``VERSION``, not source."""

import json
from pathlib import Path

import pytest

from bench import pin_versions
from bench.pin_versions import Pin, complaint, digest_of_code, pins, write

NOW = pins()
PINNED = pin_versions.pinned()

METHOD = '''"""Doubles."""
from expectations import halving
from assay.rounding import nearest

VERSION = 1


def double(value):
    """Give twice the value."""
    return nearest(2 * value)  # rounded
'''
ROUNDING = "def nearest(value):\n    return round(value)\n"
PAGE = 'VERSION = 4\nTEMPLATE = "page.html.j2"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two packages: a method that leans on a module without a version, one that names a file, and their pins."""
    for path, text in {
        "assay/__init__.py": "",
        "assay/doubling.py": METHOD,
        "assay/rounding.py": ROUNDING,
        "expectations/__init__.py": "",
        "expectations/halving/__init__.py": "VERSION: int = 2\n",
        "expectations/halving/parts.py": "HALF = 0.5\n",
        "expectations/page.py": PAGE,
        "expectations/templates/page.html.j2": "<p>",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    write(tmp_path / "versions.json", tmp_path)
    return tmp_path


def complaints(root: Path) -> list[str]:
    """What is wrong with the pins of a tree."""
    old, new = pin_versions.pinned(root / "versions.json"), pins(root)
    return [said for name in sorted(old.keys() | new.keys()) if (said := complaint(name, old.get(name), new.get(name)))]


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("name", sorted(NOW.keys() | PINNED.keys()))
def test_a_changed_method_has_a_new_version(name: str):
    """If this fails, do what it says: a cached result may otherwise be that of other code."""
    if said := complaint(name, PINNED.get(name), NOW.get(name)):
        pytest.fail(said, pytrace=False)


def test_every_module_with_a_version_is_found_packages_too(root: Path):
    """Nobody has to remember to list it."""
    found = pins(root)

    assert {name: pin.version for name, pin in found.items()} == {
        "assay.doubling": 1,
        "expectations.halving": 2,
        "expectations.page": 4,
    }
    assert list(found["assay.doubling"].parts) == ["assay.doubling", "assay.rounding"]
    assert list(found["expectations.halving"].parts) == ["expectations.halving", "expectations.halving.parts"]
    assert list(found["expectations.page"].parts) == ["expectations.page", "expectations/templates/page.html.j2"]


def test_comments_docstrings_and_layout_change_nothing(root: Path):
    """Nobody should train again for a better sentence."""
    method = root / "assay" / "doubling.py"
    replace(method, "  # rounded", "")
    replace(method, "Give twice the value.", "Return two times ``value``.")
    replace(method, "nearest(2 * value)", "nearest(\n        2 * value\n    )")
    replace(method, "VERSION = 1\n", 'VERSION = 1\n"""Raise it."""\n')

    assert complaints(root) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("assay/doubling.py", "2 * value", "3 * value", "assay.doubling: found other code in assay.doubling,"),
        ("assay/rounding.py", "round(", "int(", "assay.doubling: found other code in assay.rounding,"),
        ("expectations/halving/parts.py", "0.5", "0.4", "expectations.halving: found other code in"),
        (
            "expectations/templates/page.html.j2",
            "<p>",
            "<b>",
            "found other code in expectations/templates/page.html.j2",
        ),
    ],
)
def test_changed_logic_without_a_new_version_is_told_with_what_to_do(
    root: Path, path: str, old: str, new: str, says: str
):
    """In the module, in what it leans on, in a part of a package, in a template."""
    replace(root / path, old, new)

    (said,) = complaints(root)

    assert says in said
    assert "raise VERSION" in said
    assert "make pin" in said


def test_a_raised_version_is_told_to_be_pinned_and_then_holds(root: Path):
    """Pinning is the last thing that is done, so it is a line in the change that a reviewer reads."""
    replace(root / "assay" / "doubling.py", "2 * value", "3 * value")
    replace(root / "assay" / "doubling.py", "VERSION = 1", "VERSION = 2")

    assert complaints(root) == ["assay.doubling: found VERSION 2, and 1 pinned. Run `make pin`."]

    assert write(root / "versions.json", root) == ["assay.doubling: found VERSION 2, and 1 pinned. Run `make pin`."]
    assert complaints(root) == []


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        (None, Pin(1, {}), "found no pin"),
        (Pin(1, {}), None, "found a pin and no VERSION"),
        (Pin(2, {"m": "a"}), Pin(1, {"m": "a"}), "A version never goes down"),
    ],
)
def test_a_pin_without_a_version_and_a_version_without_a_pin_are_told(before: Pin | None, now: Pin | None, says: str):
    """Neither says anything alone; and an old number would serve old results again."""
    assert says in str(complaint("m", before, now))


def test_a_module_that_leans_on_a_version_says_so(root: Path):
    """A step that has one in its key must have the other in it too."""
    assert pin_versions.leans_on("assay.doubling", root) == {"assay.doubling", "expectations.halving"}


def test_a_constant_is_code_and_a_sentence_is_not():
    """Unless the sentence is assigned to something."""
    assert digest_of_code('x = 1\n"""a"""') == digest_of_code("x = 1")
    assert digest_of_code("def f():\n    'a'") == digest_of_code("def f():\n    'b'\n    'c'")
    assert digest_of_code("x = 1") != digest_of_code("x = 2")
    assert digest_of_code("x = 'a'") != digest_of_code("x = 'b'")


def test_the_file_of_pins_is_one_that_can_be_read_in_a_review():
    """A change of one method is a change of its lines."""
    text = pin_versions.PINS.read_text()

    assert text == json.dumps(json.loads(text), indent=1) + "\n"
    assert list(json.loads(text)) == sorted(json.loads(text))
