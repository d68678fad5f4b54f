"""What nobody foresaw is told by kind and place, never by a message that may quote a record."""

import logging

import pytest

from assay import errors
from assay.data import splitting
from assay.errors import SplitError, UnexpectedError
from tasks.caching import ReferenceSerializer, error_named
from tasks.faults import described
from tasks.steps import step

SECRET = "Ottilie Ampersand"


def fails(_: int) -> None:
    """As a library does that quotes what it could not read."""
    raise ValueError(SECRET)


@pytest.mark.usefixtures("prefect")
def test_a_librarys_message_reaches_neither_the_caller_nor_a_log(caplog):
    """Prefect writes an exception's text to its log and its database."""
    caplog.set_level(logging.DEBUG)

    with pytest.raises(UnexpectedError, match=r"ValueError in tasks/test_faults\.py line") as caught:
        step(splitting)(fails)(1)

    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text


@pytest.mark.usefixtures("prefect")
def test_an_error_that_leaves_a_step_has_none_behind_it():
    """What pickles an error may keep those that led to it."""

    def quotes(_: int) -> None:
        try:
            fails(1)
        except ValueError:
            raise SplitError("found none") from None

    for function, kind in ((fails, UnexpectedError), (quotes, SplitError)):
        with pytest.raises(kind) as caught:
            step(splitting)(function)(2)
        assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_an_error_of_a_library_is_stored_without_its_message():
    """Whatever ended a flow is filed by Prefect."""
    serializer = ReferenceSerializer()
    stored = serializer.dumps(ValueError(SECRET))

    assert SECRET.encode() not in stored
    assert type(serializer.loads(stored)) is UnexpectedError


def test_an_error_from_elsewhere_names_no_place_of_ours():
    """There is none to name."""
    assert described(ValueError(SECRET)).startswith("ValueError in a library; its message is withheld")


def test_an_error_of_ours_survives_the_result_store():
    """Its message is written to be read."""
    serializer = ReferenceSerializer()

    again = serializer.loads(serializer.dumps(SplitError("found none")))

    assert (type(again), str(again)) == (SplitError, "found none")


@pytest.mark.parametrize("name", ["os", "annotations", "Exception", "AssayErrorOfSomebodyElse"])
def test_a_record_cannot_name_a_thing_that_is_no_error_of_ours(name):
    """A planted record must not choose what is called."""
    assert type(error_named(name, "x")) is UnexpectedError
    assert not hasattr(errors, "os")
