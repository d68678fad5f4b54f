"""Bytes are what they say, or an error says what they are."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from assay import store as stores
from assay.artifacts import Artifact
from assay.errors import ArtifactCorruptError, ArtifactMissingError, StoreError
from assay.store import ArtifactStore, manifest_of, write_atomically


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files, one of them in a folder below."""
    (tmp_path / "tree" / "below").mkdir(parents=True)
    (tmp_path / "tree" / "config.json").write_text("{}")
    (tmp_path / "tree" / "below" / "weights").write_bytes(b"1234")
    return tmp_path / "tree"


def at(store: ArtifactStore, digest: str) -> Path:
    """Where the store keeps a file."""
    return Path(store.root) / digest[:2] / digest


def drafts(folder: Path) -> list[Path]:
    """What a write left behind."""
    return list(folder.rglob(".draft-*"))


def test_storing_the_same_bytes_twice_changes_nothing(store: ArtifactStore):
    """A step that ran twice has done no harm."""
    first = store.put("records", b"true")
    written = at(store, first.digest).stat()

    assert store.put("records", b"true") == first
    assert at(store, first.digest).stat() == written
    assert store.get(first) == b"true"


def test_altered_bytes_are_noticed_on_the_way_out_and_mended_on_the_way_in(store: ArtifactStore):
    """The digest is checked on every read, and before a write is skipped."""
    artifact = store.put("records", b"true")
    at(store, artifact.digest).write_bytes(b"lies")

    assert not store.holds(artifact)
    with pytest.raises(ArtifactCorruptError, match="Delete it"):
        store.get(artifact)

    store.put("records", b"true")
    assert store.get(artifact) == b"true"


def test_an_erased_artifact_says_it_may_have_been_erased(store: ArtifactStore):
    """A reference outlives its bytes after an erasure request."""
    gone = Artifact(kind="records", digest="0" * 64)

    assert not store.holds(gone)
    with pytest.raises(ArtifactMissingError, match="erased"):
        store.get(gone)


@pytest.mark.parametrize("url", ["store", "memory://"])
def test_a_tree_comes_back_as_it_went_in(url: str, folder: Path, tmp_path: Path):
    """In a folder of this machine, or at a URL."""
    store = ArtifactStore(f"{url}{tmp_path}" if "://" in url else str(tmp_path / url))
    tree = store.put_tree("adapter", folder)

    laid = store.checkout(tree, tmp_path / "laid" / "out")

    assert manifest_of(laid) == manifest_of(folder) == store.files(tree)
    assert store.holds(tree)
    store.verify(tree)
    assert not drafts(tmp_path)


def test_a_tree_has_the_same_digest_from_another_folder_and_another_with_a_name_changed(
    store: ArtifactStore, folder: Path
):
    """What names a tree is its files, and what they are called."""
    first = store.put_tree("adapter", folder)
    moved = folder.rename(folder.with_name("moved"))
    assert store.put_tree("adapter", moved) == first

    (moved / "config.json").rename(moved / "other.json")
    assert store.put_tree("adapter", moved) != first


def test_a_checkout_that_was_spoilt_is_laid_out_again(store: ArtifactStore, folder: Path, tmp_path: Path):
    """A shared folder is believed only while it is whole, a stranger's file in it included."""
    tree = store.put_tree("adapter", folder)
    laid = store.checkout(tree, tmp_path / "laid")
    (laid / "config.json").write_text("[]")
    (laid / "stranger").write_text("")

    store.checkout(tree, laid)

    assert manifest_of(laid) == store.files(tree)


def test_a_flipped_byte_of_equal_size_is_found_by_verify_and_by_checkout_and_can_be_mended(
    store: ArtifactStore, folder: Path, tmp_path: Path
):
    """A cache hit looks at sizes alone, so whatever uses the bytes must look at them."""
    tree = store.put_tree("adapter", folder)
    flipped = at(store, store.files(tree)["below/weights"]["sha256"])
    flipped.write_bytes(b"1235")

    assert store.holds(tree)
    with pytest.raises(ArtifactCorruptError, match="below/weights"):
        store.verify(tree)
    with pytest.raises(ArtifactCorruptError, match=f"below/weights were changed. Delete {flipped}"):
        store.checkout(tree, tmp_path / "laid")
    assert not (tmp_path / "laid").exists()
    assert not drafts(tmp_path)

    store.put_tree("adapter", folder)
    store.verify(tree)


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"123")])
def test_a_tree_with_a_file_that_is_gone_or_short_is_not_held(store: ArtifactStore, folder: Path, harm, tmp_path: Path):
    """A result that refers to it is computed again."""
    tree = store.put_tree("adapter", folder)
    harm(at(store, store.files(tree)["below/weights"]["sha256"]))

    assert not store.holds(tree)
    with pytest.raises((ArtifactMissingError, ArtifactCorruptError)):
        store.checkout(tree, tmp_path / "laid")


@pytest.mark.parametrize("data", [b"no JSON", b"{}", b'{"files": {"a": {}}}'])
def test_bytes_that_are_no_manifest_are_no_tree(store: ArtifactStore, data: bytes):
    """A forged reference is a miss, not a crash."""
    blob = store.put("adapter", data)

    assert not store.holds(blob.model_copy(update={"tree": True}))


def test_a_failed_write_leaves_what_was_there_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A reader sees the old bytes or the new ones."""
    path = tmp_path / "page.html"
    path.write_bytes(b"old")

    def fails(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(stores.os, "fsync", fails)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def one_line(error: BaseException) -> bool:
    """Whether an error says found, expected and what to do in one line."""
    return "\n" not in str(error) and all(word in str(error) for word in ("found", "expected", "ASSAY_STORE"))


def test_a_store_under_a_file_is_refused_in_one_line(tmp_path: Path):
    """Nobody may write there, root included."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError) as caught:
        ArtifactStore(str(tmp_path / "file" / "store")).put("records", b"true")

    assert one_line(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it is not allowed to")
def test_a_store_that_may_not_be_written_says_so(tmp_path: Path):
    """With the cure for that, and not the one for a full disk."""
    (tmp_path / "store").mkdir(mode=0o500)

    with pytest.raises(StoreError, match="no permission") as caught:
        ArtifactStore(str(tmp_path / "store")).put("records", b"true")

    assert one_line(caught.value)


def test_a_url_that_nothing_opens_is_refused():
    """Before the first byte is computed."""
    with pytest.raises(StoreError, match="Give a folder or a URL"):
        ArtifactStore("nosuch://store")


def test_a_write_that_is_cut_short_is_one_line_and_nothing_half_written(tmp_path: Path):
    """As on a full disk: here the kernel stops every file at 100 bytes."""
    program = (
        "import sys; from assay.store import ArtifactStore; from assay.errors import StoreError\n"
        "try: ArtifactStore(sys.argv[1]).put('records', b'x' * 1000)\n"
        "except StoreError as error: print(error)"
    )

    def limited() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    said = subprocess.check_output(
        [sys.executable, "-B", "-c", program, str(tmp_path)], text=True, preexec_fn=limited, cwd=Path.cwd()
    )

    assert "no space left" in said
    assert said.count("\n") == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_full_disk_is_one_line_and_leaves_the_store_whole(tmp_path: Path):
    """On a real file system of one megabyte, where this process may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a file system here")
    try:
        store = ArtifactStore(str(disk))
        small = store.put("records", b"small")
        with pytest.raises(StoreError, match="no space left") as caught:
            store.put("records", bytes(2_000_000))

        assert one_line(caught.value)
        assert store.get(small) == b"small"
        assert not drafts(disk)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("url", ["store", "memory://"])
def test_a_log_refuses_a_second_writer_of_one_entry(url: str, tmp_path: Path):
    """Of two promotions at once, one must look again."""
    store = ArtifactStore(f"{url}{tmp_path}" if "://" in url else str(tmp_path / url))
    assert store.log("history/m") == []
    store.append("history/m", 1, b"first")
    store.append("history/m", 2, b"second")

    with pytest.raises(StoreError, match="entry 2 was written by somebody else"):
        store.append("history/m", 2, b"usurper")

    assert store.log("history/m") == [b"first", b"second"]
    assert not drafts(tmp_path)


def test_the_draft_of_a_writer_that_was_killed_is_no_entry(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch):
    """Otherwise one kill would make a history that never verifies again."""
    with monkeypatch.context() as patch:
        patch.setattr(stores.os, "link", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr(Path, "unlink", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            store.append("history/m", 1, b"never")
    assert drafts(Path(store.root))

    store.append("history/m", 1, b"first")

    assert store.log("history/m") == [b"first"]
