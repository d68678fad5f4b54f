"""The Croissant document is judged by MLCommons' own reader, which also loads the records that it describes."""

import json
import sys
from pathlib import Path

import pytest

from assay.reporting import croissant
from assay.reporting.dataset import Content
from tests.assay.reporting.cards import FILES, SIDES, SPOKEN, content, full
from tests.assay.reporting.measurements import refused


@pytest.fixture(autouse=True, scope="module")
def _other_stream() -> None:
    """Absl, which mlcroissant imports, would close the stream of pytest's that it found once Prefect sets logging."""
    import absl.logging

    absl.logging.get_absl_handler().python_handler.stream = sys.__stderr__


def filed(folder: Path, said: Content) -> Path:
    """The document, and the files that it names where it says that they are."""
    for side in said.sides:
        for shard, file in zip(side.shards, FILES[side.name], strict=True):
            path = folder / croissant.place(side.name, shard.digest)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file)
    (folder / "croissant.json").write_bytes(croissant.document(said))
    return folder / "croissant.json"


def test_mlcroissant_reads_it_without_an_error_or_a_warning(tmp_path: Path):
    """As Croissant 1.1, with what it says of responsible use."""
    import mlcroissant

    metadata = mlcroissant.Dataset(jsonld=str(filed(tmp_path, full()))).metadata

    assert not metadata.ctx.issues.errors
    assert not metadata.ctx.issues.warnings
    assert metadata.ctx.conforms_to.value == "http://mlcommons.org/croissant/1.1"
    assert metadata.version == "1.0.0+" + "a" * 64
    assert metadata.license == ["https://spdx.org/licenses/CC0-1.0.html"]
    assert "deduplicate: 122 records in, 120 out, 2 dropped" in metadata.data_preprocessing_protocol
    assert metadata.personal_sensitive_information[2:] == ["ORDER_ID: 131 values replaced by placeholders"]
    assert metadata.data_use_cases == ["Route messages.", "English messages to a shop."]
    assert metadata.data_limitations == list(full().not_known)
    assert metadata.data_collection.startswith("tickets: 131 records, licence CC0-1.0, lawful basis: contract.")
    assert "lowest over highest rate 0.42 for the label refund (p 0.004, corr" in metadata.data_biases[0]
    assert (
        "2 decisions found no record. 27 doubts about records of this version" in metadata.data_annotation_protocol[0]
    )


def test_mlcroissant_loads_every_record_of_every_side(tmp_path: Path):
    """From one file or from several, nested columns too."""
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=str(filed(tmp_path, content())))

    for side in ("train", "validation"):
        rows = {row[f"{side}/id"].decode(): row for row in dataset.records(side)}
        expected = {record.id: record for shard in SIDES[side] for record in shard}
        assert rows.keys() == expected.keys()
        for id, record in expected.items():
            assert rows[id][f"{side}/completion"].decode() == record.completion
            assert rows[id][f"{side}/subject"].decode() == record.subject
            assert [
                (turn[f"{side}/context/role"], turn[f"{side}/context/content"]) for turn in rows[id][f"{side}/context"]
            ] == [(turn.role.encode(), turn.content.encode()) for turn in record.context]
    assert [entry.uuid for entry in dataset.metadata.record_sets] == ["train", "validation"]


def test_other_bytes_under_the_name_of_a_file_are_refused(tmp_path: Path):
    """The sha256 in the document is that of the bytes."""
    import mlcroissant

    path = filed(tmp_path, content())
    (file,) = (tmp_path / "records" / "validation").iterdir()
    file.write_bytes(FILES["train"][0])

    with pytest.raises(mlcroissant.GenerationError) as refused:
        list(mlcroissant.Dataset(jsonld=str(path)).records("validation"))

    assert "hash" in str(refused.value.__cause__).lower()


def test_it_says_that_the_files_are_not_beside_it_and_where_they_are():
    """Somebody who gets the document alone should not look for a download that nobody offers."""
    said = json.loads(croissant.document(content()))

    assert "not beside this document: they are in the artefact store of the deployment" in said["description"]
    files = [entry for entry in said["distribution"] if entry["@type"] == "cr:FileObject"]
    assert all("In the artefact store of the deployment" in file["description"] for file in files)


def test_every_file_is_named_with_its_digest_and_size():
    """So that who gets a file can tell that it is the one."""
    said = json.loads(croissant.document(content()))

    files = [entry for entry in said["distribution"] if entry["@type"] == "cr:FileObject"]
    given = [(side.name, shard) for side in content().sides for shard in side.shards]
    assert [(file["sha256"], file["contentSize"]) for file in files] == [(s.digest, f"{s.size} B") for _, s in given]
    assert [file["contentUrl"] for file in files] == [croissant.place(side, shard.digest) for side, shard in given]


def test_equal_content_gives_equal_bytes_and_no_day_is_made_up():
    """Nothing is read from a clock, and a day that nobody gave is not there."""
    assert croissant.document(content()) == croissant.document(Content.model_validate_json(content().model_dump_json()))
    assert "datePublished" not in json.loads(croissant.document(content()))
    assert json.loads(croissant.document(full()))["datePublished"] == "2031-02-03"


def test_what_redaction_was_shown_to_find_is_told_with_its_bounds():
    """In plain characters; and where nobody measured it, that is told instead."""
    told = json.loads(croissant.document(full()))["rai:personalSensitiveInformation"]

    assert told[1].startswith(
        "Of 1,152 invented values planted in 500 distinct records of this run, 1,134 were masked whole"
    )
    assert "with 95 % confidence at most 2.2 % of such records keep a direct identifier." in told[1]
    assert "PERSON 96.8 % (193 of 195)" in told[1]
    assert "not what was asked for" not in told[1]
    stopped = json.loads(croissant.document(content(redacting=refused())))["rai:personalSensitiveInformation"]
    assert "This is not what was asked for: IBAN: 8 of 8 seeded values" in stopped[1]
    silent = json.loads(croissant.document(content()))["rai:personalSensitiveInformation"]
    assert silent[1] == "How much is found was not measured."


def test_a_surrogate_is_called_what_it_is():
    """Whoever trains on it should know that a name in the text is nobody's."""
    policy = content().redaction.model_copy(update={"surrogates": ("ORDER_ID",)})

    told = json.loads(croissant.document(content(redaction=policy)))["rai:personalSensitiveInformation"]

    assert told[2:] == ["ORDER_ID: 131 values replaced by invented values"]


def test_no_text_of_a_record_is_in_it():
    """It describes fields and holds no example."""
    assert SPOKEN.split(" [", maxsplit=1)[0].encode() not in croissant.document(full())


@pytest.mark.parametrize(
    ("licence", "given"),
    [
        ("CC-BY-SA-4.0", "https://spdx.org/licenses/CC-BY-SA-4.0.html"),
        ("Apache-2.0", "https://spdx.org/licenses/Apache-2.0.html"),
        ("in-house", "in-house"),
        ("MIT with exceptions", "MIT with exceptions"),
    ],
)
def test_a_licence_with_a_page_is_given_by_its_address(licence: str, given: str):
    """One that SPDX does not know keeps its own words."""
    source = content().sources[0].model_copy(update={"licence": licence})

    assert json.loads(croissant.document(content(sources=(source,))))["license"] == [given]
