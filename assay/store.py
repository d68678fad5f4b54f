"""The store: bytes under a folder, or any URL that fsspec opens, filed by their own digest.

A file appears under its digest whole or not at all. A tree is a manifest of files, each filed by
its digest. A log only grows, one numbered entry after another.
"""

import errno
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import Any, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from assay.artifacts import JSON, Artifact
from assay.errors import ArtifactCorruptError, ArtifactMissingError, StoreError


def sha256_of(path: Path) -> str:
    """sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest_of(folder: Path) -> dict[str, JSON]:
    """Name, size and sha256 of every file below ``folder``."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {"sha256": sha256_of(path), "size": path.stat().st_size} for path in files
    }


class ArtifactStore:
    """Bytes under a URL, filed by their own digest."""

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            self._fs, self.root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise StoreError(
                f"cannot open the artefact store {url}: {error}. Give a folder or a URL that fsspec knows."
            ) from None

    @property
    def is_local(self) -> bool:
        """Whether the store is a folder on this machine."""
        return isinstance(self._fs, LocalFileSystem)

    def put(self, kind: str, data: bytes) -> Artifact:
        """Store ``data`` and return the reference to it. Storing it again changes nothing.

        Raises:
            StoreError: the store cannot be written; nothing is left half-written.
        """
        artifact = Artifact(kind=kind, digest=hashlib.sha256(data).hexdigest())
        if not self._intact_blob(artifact.digest):
            self._write(artifact.digest, data)
        return artifact

    def put_tree(self, kind: str, folder: Path) -> Artifact:
        """Store every file below ``folder`` under one digest, that of its manifest."""
        manifest = manifest_of(folder)
        for name, entry in manifest.items():
            self._put_file(cast("dict[str, str]", entry)["sha256"], folder / name)
        blob = self.put(kind, json.dumps({"files": manifest}, sort_keys=True).encode())
        return Artifact(kind=kind, digest=blob.digest, tree=True)

    def get(self, artifact: Artifact) -> bytes:
        """Return the bytes of ``artifact``, checked against its digest."""
        path = self._path(artifact.digest)
        try:
            data = cast("bytes", self._fs.cat_file(path))
        except FileNotFoundError:
            raise ArtifactMissingError(
                f"no {artifact.kind} {artifact.digest[:12]} in the store: never written, or erased. "
                "Run the recipe again."
            ) from None
        if (found := hashlib.sha256(data).hexdigest()) != artifact.digest:
            raise ArtifactCorruptError(
                f"{artifact.kind} {artifact.digest[:12]} now hashes to {found[:12]}: its bytes were changed. "
                "Delete it and run the recipe again."
            )
        return data

    def files(self, artifact: Artifact) -> dict[str, dict[str, Any]]:
        """The manifest of a tree: name → sha256 and size in bytes."""
        return cast("dict[str, dict[str, Any]]", json.loads(self.get(artifact))["files"])

    def checkout(self, artifact: Artifact, folder: Path) -> Path:
        """Lay a tree out as ``folder``, checking every file; an intact one is used again."""
        manifest = self.files(artifact)
        if folder.is_dir() and manifest_of(folder) == manifest:
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft-"))
        try:
            for name, entry in manifest.items():
                target = draft / name
                target.parent.mkdir(parents=True, exist_ok=True)
                self._fetch(entry["sha256"], target)
            laid = manifest_of(draft)
            if altered := [name for name in manifest if laid.get(name) != manifest[name]]:
                there = self._path(manifest[altered[0]]["sha256"])
                raise ArtifactCorruptError(
                    f"{artifact.kind} {artifact.digest[:12]}: the bytes of {altered[0]} were changed. "
                    f"Delete {there} and run the recipe again."
                )
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return folder

    def holds(self, artifact: Artifact) -> bool:
        """Whether ``artifact`` is here: a file with its digest; a tree with all files at their sizes."""
        try:
            if not artifact.tree:
                return self._intact_blob(artifact.digest)
            return all(
                self._fs.size(self._path(entry["sha256"])) == entry["size"] for entry in self.files(artifact).values()
            )
        except (ArtifactMissingError, ArtifactCorruptError, OSError, ValueError, KeyError):
            return False  # The last two: its bytes are whole, but they are no manifest.

    def verify(self, artifact: Artifact) -> None:
        """Read every byte of ``artifact`` against its digest, or raise what is wrong with it."""
        data = self.get(artifact)
        if artifact.tree:
            for name, entry in json.loads(data)["files"].items():
                self.get(Artifact(kind=f"{artifact.kind}/{name}", digest=entry["sha256"]))

    def append(self, log: str, number: int, entry: bytes) -> None:
        """Write entry ``number`` (from 1) of a log that only grows.

        Raises:
            StoreError: that entry is there already: somebody else was first.
        """
        path = f"{self.root}/{log}/{number:08d}.json"
        try:
            self._fs.makedirs(f"{self.root}/{log}", exist_ok=True)
            if self.is_local:
                write_once(Path(path), entry)
            else:
                self._fs.pipe_file(path, entry, mode="create")
        except FileExistsError:
            raise StoreError(
                f"{log}: entry {number} was written by somebody else meanwhile. Look at it, then try again."
            ) from None
        except OSError as error:
            raise StoreError(_cannot_write(self.url, error)) from None

    def log(self, log: str) -> list[bytes]:
        """The entries of a log, in order; none if it was never begun."""
        try:
            names = sorted(name for name in self._fs.ls(f"{self.root}/{log}", detail=False) if name.endswith(".json"))
        except FileNotFoundError:
            return []
        return [self._fs.cat_file(name) for name in names]

    def _path(self, digest: str) -> str:
        return f"{self.root}/{digest[:2]}/{digest}"

    def _intact_blob(self, digest: str) -> bool:
        try:
            data = self._fs.cat_file(self._path(digest))
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == digest

    def _intact_file(self, digest: str) -> bool:
        """Whether a file of any size is here with its digest; read in pieces."""
        try:
            with self._fs.open(self._path(digest), "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == digest
        except OSError:
            return False

    def _put_file(self, digest: str, path: Path) -> None:
        if not self._intact_file(digest):
            self._write(digest, path)

    def _fetch(self, digest: str, target: Path) -> None:
        try:
            self._fs.get_file(self._path(digest), str(target))
        except FileNotFoundError:
            raise ArtifactMissingError(f"no file {digest[:12]} in the store. Run the recipe again.") from None

    def _write(self, digest: str, content: bytes | Path) -> None:
        path = self._path(digest)
        try:
            if not self.is_local:
                if isinstance(content, bytes):
                    self._fs.pipe_file(path, content)
                else:
                    self._fs.put_file(str(content), path)
                return
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Path(path), content)
        except OSError as error:
            raise StoreError(_cannot_write(self.url, error)) from None


def write_atomically(path: Path, content: bytes | Path, mode: int = 0o666) -> None:
    """Write bytes, or copy a file, so that ``path`` is either as it was or whole; ``mode`` is cut by the umask."""
    draft = path.with_name(f".draft-{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_once(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write ``path`` whole, or raise FileExistsError if it is there."""
    # Not named like an entry: a reader must not take the draft of a writer that was killed for one.
    draft = path.with_name(f".draft-{uuid.uuid4().hex}")
    write_atomically(draft, content, mode)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()


def _cannot_write(url: str, error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            found, action = "no space left", "free some, or point ASSAY_STORE elsewhere"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            found, action = "no permission to write", "change its permissions, or point ASSAY_STORE elsewhere"
        case _:
            found, action = error.strerror or type(error).__name__, "point ASSAY_STORE at a folder that can be written"
    return f"artefact store {url}: found {found}; expected a writable store; {action}. Nothing was half-written."
