"""A step is computed once for each question, as long as its answer is whole; and a change has a name."""

import json
from pathlib import Path

import pytest
from prefect.serializers import PickleSerializer

from assay.artifacts import Artifact, Dataset, digest_of, question
from assay.bases import BaseSpec
from assay.errors import UnstableKeyError
from assay.spec import ContaminationSpec
from assay.store import ArtifactStore
from tasks import caching
from tasks.caching import ByContent, ReferenceSerializer, answer_to, changes, reason, remember, slot
from tests.tasks.conftest import in_flow, words

ARTIFACT = Artifact(kind="text", digest="0" * 64)


def the_record(home: Path) -> Path:
    """The only result on record."""
    (found,) = (path for path in (home / "results").rglob("*") if path.is_file())
    return found


@pytest.mark.usefixtures("prefect")
def test_the_same_question_is_answered_from_its_record(doubling, seen, store: ArtifactStore):
    """Nothing runs, and the observer is told so."""
    double = doubling()

    first, again = in_flow(lambda: (double("a"), double("a")))

    assert first == again
    assert store.get(first) == b"aa"
    assert double.calls == ["a"]
    assert words(seen) == [("double", "computed"), ("double", "cached")]
    assert [state.reason for state in seen] == ["first time", ""]


@pytest.mark.usefixtures("prefect")
def test_the_same_step_in_another_process_finds_the_record(doubling, seen):
    """Its key hangs on name, version and inputs, not on the object or on how it is retried."""
    in_flow(lambda: doubling()("a"))
    again = doubling(retries=7, timeout_seconds=5)
    in_flow(lambda: again("a"))

    assert again.calls == []
    assert words(seen)[-1] == ("double", "cached")


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(
    ("version", "arguments", "says"),
    [
        (2, {"text": "a"}, "versions.doubling: 1 → 2"),
        (1, {"text": "b"}, "text: a → b"),
        (1, {"text": "a", "times": 3}, "times: 2 → 3"),
    ],
)
def test_a_changed_component_is_computed_and_named(doubling, seen, version: int, arguments: dict, says: str):
    """Why did this run again? This is why."""
    in_flow(lambda: doubling()("a"))
    changed = doubling(version)
    in_flow(lambda: changed(**arguments))

    assert len(changed.calls) == 1
    assert (seen[-1].state, seen[-1].reason) == ("computed", says)


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"ab")], ids=["erased", "altered"])
def test_a_damaged_artefact_is_computed_again_and_what_reads_it_is_not(doubling, seen, store: ArtifactStore, harm):
    """A record counts only while everything that it refers to is whole."""
    double = doubling()
    inner, outer = in_flow(lambda: (first := double("a"), double(first)))
    harm(Path(store.root) / inner.digest[:2] / inner.digest)

    assert in_flow(lambda: double(double("a"))) == outer
    assert store.get(inner) == b"aa"
    assert words(seen)[2:] == [("double", "computed"), ("double", "cached")]
    assert seen[2].reason == "its earlier result is gone or damaged"


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        """What a pickle runs."""
        return Path.touch, (self.path,)


@pytest.mark.usefixtures("prefect")
def test_a_planted_pickle_is_not_loaded(doubling, seen, home: Path, tmp_path: Path):
    """Prefect would load a record by whatever serializer the record itself names."""
    double = doubling()
    first = in_flow(lambda: double("a"))
    fuse = tmp_path / "exploded"
    blob = PickleSerializer().dumps(Bomb(fuse))
    PickleSerializer().loads(blob)
    assert fuse.exists()
    fuse.unlink()

    record = json.loads(the_record(home).read_bytes())
    record["metadata"]["serializer"] = {"type": "pickle"}
    the_record(home).write_text(json.dumps(record | {"result": blob.decode()}))

    assert in_flow(lambda: double("a")) == first
    assert not fuse.exists()
    assert words(seen)[-1] == ("double", "computed")
    assert answer_to(the_record(home).name) == first


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(
    "planted",
    [
        b"",
        b"no JSON",
        b"[]",
        b"{}",
        b'{"metadata": {"serializer": {"type": "reference"}}, "result": "{\\"__class__\\": \\"os.getcwd\\"}"}',
        b'{"metadata": {"serializer": {"type": "json"}}, "result": "{\\"__class__\\": \\"os.getcwd\\"}"}',
    ],
)
def test_a_record_that_is_not_ours_is_a_miss(doubling, home: Path, planted: bytes):
    """And the one that takes its place is."""
    double = doubling()
    first = in_flow(lambda: double("a"))
    the_record(home).write_bytes(planted)

    assert answer_to(the_record(home).name) is None
    assert in_flow(lambda: double("a")) == first
    assert double.calls == ["a", "a"]
    assert answer_to(the_record(home).name) == first


@pytest.mark.usefixtures("prefect")
def test_a_step_that_gives_data_and_no_reference_is_refused(doubling, home: Path):
    """Results are stored in clear: text must not get into them."""
    from tasks.steps import step

    @step("assay.data.splitting")
    def leaks() -> str:
        return "Ottilie Ampersand"

    in_flow(leaks)

    assert not any(b"Ottilie" in path.read_bytes() for path in home.rglob("*") if path.is_file())


def test_a_reference_comes_back_as_it_went_in():
    """Each kind is told by its fields, since what it is called is not written."""
    both = ReferenceSerializer()
    for reference in (ARTIFACT, Dataset(shards=(ARTIFACT, ARTIFACT)), Dataset(shards=())):
        assert both.loads(both.dumps(reference)) == reference


@pytest.mark.parametrize("value", ["text", {"kind": "a"}, ["a"], None, object()])
def test_what_is_no_reference_is_not_written(value: object):
    """No frame, no path, no text."""
    with pytest.raises(ValueError, match="validation error"):
        ReferenceSerializer().dumps(value)


def test_a_method_may_be_named_without_being_imported():
    """Planning must not wait for torch."""
    assert ByContent(("assay.data.splitting",)).versions == {"assay.data.splitting": 1}


def test_a_method_without_a_version_is_refused():
    """It would be served for ever."""
    with pytest.raises(UnstableKeyError, match="declares no VERSION"):
        ByContent(("assay.errors",))


def test_a_library_is_part_of_the_key_by_its_release():
    """Whatever runs the model may move a weight."""
    policy = ByContent((), ("pytest",))

    assert policy.question("s", {})["versions"] == {"pytest": pytest.__version__}


BASE = BaseSpec(uri="a", digest="1" * 64, licence="MIT", dtype="float32")


@pytest.mark.parametrize(
    ("before", "now", "says"),
    [
        ({"spec": ContaminationSpec()}, {"spec": ContaminationSpec(words=5)}, ["spec.words: 13 → 5"]),
        ({"shard": ARTIFACT}, {"shard": Artifact(kind="text", digest="1" * 64)},
         ["shard.digest: 000000000000 → 111111111111"]),
        ({"shards": [ARTIFACT]}, {"shards": [ARTIFACT, ARTIFACT]},
         ["shards[1].digest: none → 000000000000"]),
        ({"base": BASE}, {"base": BASE.model_copy(update={"uri": "b"})}, []),
        ({"a": 1}, {"a": 1}, []),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("home")
def test_what_changed_is_told_by_its_place_in_the_recipe(before: dict, now: dict, says: list[str]):
    """Old value and new; digests by their beginning; where bytes were found is no change."""
    remember(question("curate", {}, before))

    assert changes(question("curate", {}, now)) == says


@pytest.mark.usefixtures("home")
def test_a_change_is_told_against_the_nearest_question():
    """Not the last one, which may have been about something else."""
    remember(question("s", {"m": 1}, {"a": 1, "b": 1, "c": 1}))
    remember(question("s", {"m": 2}, {"a": 2, "b": 2, "c": 2}))

    assert changes(question("s", {"m": 1}, {"a": 1, "b": 1, "c": 3})) == ["c: 1 → 3"]
    assert changes(question("other", {}, {})) == ["first time"]


def test_a_reason_is_never_empty():
    """Asked before, and yet computed: then the answer is gone."""
    assert reason([]) == "its earlier result is gone or damaged"
    assert reason(["a: 1 → 2", "b: 1 → 2"]) == "a: 1 → 2; b: 1 → 2"


@pytest.mark.parametrize(
    ("inputs", "place"),
    [
        ({}, "evaluate"),
        ({"doorway": "raw"}, "validate-raw"),
        ({"adapter": None, "questions": ARTIFACT}, "evaluate-baseline"),
        ({"adapter": ARTIFACT, "questions": ARTIFACT}, "evaluate-candidate"),
    ],
)
def test_a_step_that_is_taken_twice_has_two_places(inputs: dict, place: str):
    """So that a question is compared with its own past."""
    assert slot("evaluate", inputs) == place


def test_an_answer_is_one_only_while_its_bytes_are_there(store: ArtifactStore, home: Path):
    """A plan says what a run would find."""
    artifact = store.put("text", b"a")
    key = digest_of(question("s", {}, {}))
    (home / "results").mkdir()
    record = {"metadata": {"serializer": {"type": "reference"}}, "result": artifact.model_dump_json()}
    (home / "results" / key).write_text(json.dumps(record))

    assert answer_to(key) == artifact
    (Path(store.root) / artifact.digest[:2] / artifact.digest).unlink()
    assert answer_to(key) is None
    assert caching.answer_to("absent") is None
