"""What is remembered of items is whole or not there."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.remembered import DAY, remembered

ASKED = {"dtype": "bfloat16", "methods": {"generation": 2}}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of the test's own."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    return tmp_path


def files(home: Path) -> list[Path]:
    """All that is remembered."""
    return sorted(home.glob("remembered/*/*.jsonl"))


def test_what_is_set_is_there_the_next_time():
    """Newlines, quotes and other scripts too."""
    said = {"a": "one\ntwo", "b": '{"x": "ü"}', "c": ""}
    with remembered("answers", "m", ASKED) as known:
        known.update(said)

    with remembered("answers", "m", ASKED) as known:
        assert dict(known) == said


@pytest.mark.parametrize("other", [("answers", "n", ASKED), ("choices", "m", ASKED), ("answers", "m", {"dtype": "x"})])
def test_another_model_or_way_of_asking_knows_nothing(other):
    """A result belongs to all that it depends on."""
    with remembered("answers", "m", ASKED) as known:
        known["a"] = "one"

    with remembered(*other) as known:
        assert not known


def test_a_torn_line_is_an_item_to_ask_again_and_spoils_no_other(home):
    """A process may be killed while it writes."""
    with remembered("answers", "m", ASKED) as known:
        known.update({"a": "one", "b": "two"})
    [path] = files(home)
    path.write_bytes(path.read_bytes()[:-9])

    with remembered("answers", "m", ASKED) as known:
        assert dict(known) == {"a": "one"}
        known["c"] = "three"
    with remembered("answers", "m", ASKED) as known:
        assert dict(known) == {"a": "one", "c": "three"}


@pytest.mark.parametrize("damage", [(b"one", b"two"), (b'"a"', b'"z"'), (b"[", b"\xff"), (b"\n", b"\0\n")])
def test_a_damaged_line_is_an_item_to_ask_again(home, damage):
    """Bits that turned are not an answer."""
    with remembered("answers", "m", {}) as known:
        known["a"] = "one"
    [path] = files(home)
    head, line = path.read_bytes().split(b"\n", 1)
    path.write_bytes(head + b"\n" + line.replace(*damage))

    with remembered("answers", "m", {}) as known:
        assert not known


def test_two_processes_at_once_lose_nothing(home):
    """Two runs may ask one model at the same time."""
    program = (
        "import sys\nfrom tasks.remembered import remembered\n"
        "with remembered('answers', 'm', {}) as known:\n"
        "    for n in range(300): known[f'{sys.argv[1]}{n}'] = sys.argv[1] * 200\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", program, name], env={**os.environ}) for name in "xy"]
    assert [each.wait(60) for each in both] == [0, 0]

    with remembered("answers", "m", {}) as known:
        assert {key: value[0] for key, value in known.items()} == {f"{x}{n}": x for x in "xy" for n in range(300)}


def test_the_first_line_says_what_was_asked_of_whom(home):
    """So that a person can tell the files apart."""
    with remembered("answers", "m", ASKED):
        pass

    assert json.loads(files(home)[0].read_text()) == {"asked": {"kind": "answers", "model": "m", **ASKED}}


def test_what_nobody_opened_for_long_is_removed_when_another_is_opened(home):
    """State that only grows fills a disk."""
    for model in ("old", "fresh"):
        with remembered("answers", model, {}) as known:
            known["a"] = model
    [old] = [path for path in files(home) if '"model": "old"' in path.read_text()]
    os.utime(old, (time.time() - 15 * DAY,) * 2)

    with remembered("choices", "m", {}):
        assert old not in files(home)
        assert len(files(home)) == 2


def test_opening_a_file_keeps_it(home):
    """What is used is young."""
    with remembered("answers", "m", {}) as known:
        known["a"] = "one"
    os.utime(files(home)[0], (time.time() - 15 * DAY,) * 2)

    for _ in range(2):
        with remembered("answers", "m", {}) as known:
            assert dict(known) == {"a": "one"}
        with remembered("answers", "n", {}):
            pass


def test_nothing_is_forgotten_by_hand():
    """A result that is wrong has a wrong key."""
    with remembered("answers", "m", {}) as known, pytest.raises(TypeError, match="forget"):
        del known["a"]
