"""Pin what each method's ``VERSION`` stands for: ``python -m bench.pin_versions``, or ``make pin``.

Cache keys hold ``VERSION`` and not source, so a method that changes must say so. What is pinned for
each module of ``assay`` and ``expectations`` that has a ``VERSION`` is that number, and a digest of
the syntax tree, without comments and docstrings, of each part of it: its own code, that of the
first-party modules it leans on that have no ``VERSION`` of their own, and the files beside it that
it names, such as a page's template. A package with a ``VERSION`` has all of its modules as parts.

``assay.fields``, ``assay.spec``, ``assay.tuning`` and ``assay.errors`` are no parts: fields of a spec are in the keys
themselves, and an error has no output. ``assay.artifacts`` makes the keys, so a change of it changes them.
Nothing is imported: this reads files.
"""

import ast
import functools
import hashlib
import json
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "tests" / "assay" / "versions.json"
PACKAGES = (
    "assay",
    "expectations",
    *(
        f"tasks/{name}"
        for name in (
            "alternating",
            "answering",
            "approaches",
            "asking",
            "assessing",
            "auditing",
            "comparing",
            "evaluating",
            "examining",
            "noticing",
            "probes",
            "probing",
            "weighing",
            "sweeping",
            "jobs",
            "data",
            "curation",
            "deciding",
            "doorways",
            "describing",
            "judging",
            "measuring",
            "merging",
            "parts",
            "remembered",
            "shards",
        )
    ),
)
"""Where methods are, and the modules that compose methods of several wings."""
SHARED = frozenset(
    {
        "assay",
        "expectations",
        "assay.bases",
        "assay.fields",
        "assay.spec",
        "assay.trials",
        "assay.tuning",
        "assay.errors",
        "assay.artifacts",
    }
)


@dataclass(frozen=True)
class Pin:
    """What a method says of itself, and what it was when it said so."""

    version: int
    parts: dict[str, str]
    """Module or file → digest of what it does."""


def pins(root: Path = ROOT) -> dict[str, Pin]:
    """The pin of every module under ``root`` that has a ``VERSION``, as the files are now."""
    trees = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in _modules(root)}
    paths = dict(_modules(root))
    versions = {name: number for name, tree in trees.items() if (number := version_of(tree)) is not None}
    return {
        name: Pin(versions[name], dict(sorted(_parts(name, trees, paths, versions, root)))) for name in sorted(versions)
    }


def leans_on(name: str, root: Path = ROOT) -> set[str]:
    """Each module with a ``VERSION`` whose change may change what the one called ``name`` gives, itself included."""
    trees, paths = _read(root)
    return {part for part in _reached(name, trees, paths) if version_of(trees[part]) is not None}


def pinned(path: Path = PINS) -> dict[str, Pin]:
    """What was pinned last."""
    return {name: Pin(**pin) for name, pin in json.loads(path.read_text(encoding="utf-8")).items()}


def complaint(name: str, before: Pin | None, now: Pin | None) -> str | None:
    """What is wrong with the pin of a module and what to do, or None if it holds."""
    if before is None:
        return f"{name}: found no pin; expected one for each VERSION. Run `make pin`."
    if now is None:
        return f"{name}: found a pin and no VERSION; expected both. Put it back, or run `make pin`."
    if now.version < before.version:
        return f"{name}: found VERSION {now.version}; expected at least {before.version}. A version never goes down."
    if now.version > before.version:
        return f"{name}: found VERSION {now.version}, and {before.version} pinned. Run `make pin`."
    if changed := sorted(p for p in before.parts.keys() | now.parts.keys() if before.parts.get(p) != now.parts.get(p)):
        return (
            f"{name}: found other code in {', '.join(changed)}, and the same VERSION {now.version}. If an output may "
            f"change, raise VERSION in {name}, or old results are served for new code; then run `make pin`."
        )
    return None


def write(path: Path = PINS, root: Path = ROOT) -> list[str]:
    """Pin everything as it is now, and return what was wrong with the pins before."""
    old, new = pinned(path) if path.exists() else {}, pins(root)
    path.write_text(json.dumps({n: asdict(pin) for n, pin in new.items()}, indent=1) + "\n", encoding="utf-8")
    return [said for name in sorted(old.keys() | new.keys()) if (said := complaint(name, old.get(name), new.get(name)))]


def version_of(tree: ast.Module) -> int | None:
    """The number that a module assigns to ``VERSION``."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(target, ast.Name) and target.id == "VERSION" for target in targets):
            return int(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return None


def digest_of_code(source: str) -> str:
    """Digest of what ``source`` does, blind to comments, docstrings, layout and ``VERSION``."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            if isinstance(body := getattr(node, name, None), list):
                setattr(node, name, [line for line in body if not _is_silent(line)])
    return _short(ast.unparse(tree).encode())


def imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Names that a module imports anywhere, first-party ones among them; ``package`` is where it lies."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: -(node.level - 1) or None] if node.level else []
            start = ".".join([*up, *([node.module] if node.module else [])])
            yield start
            yield from (f"{start}.{alias.name}" for alias in node.names)


@functools.cache
def _read(root: Path) -> tuple[dict[str, ast.Module], dict[str, Path]]:
    paths = dict(_modules(root))
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in paths.items()}, paths


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")) or [(root / package).with_suffix(".py")]:
            if not path.exists():
                continue
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _parts(
    name: str, trees: Mapping[str, ast.Module], paths: Mapping[str, Path], versions: Mapping[str, int], root: Path
) -> Iterator[tuple[str, str]]:
    """Each part of a method with its digest: what it leans on without a version of its own, and files it names."""
    for part in _reached(name, trees, paths, set(versions) - {name}):
        yield part, digest_of_code(paths[part].read_text(encoding="utf-8"))
        yield from _files(trees[part], paths[part].parent, root)


def _reached(
    name: str, trees: Mapping[str, ast.Module], paths: Mapping[str, Path], fences: Collection[str] = ()
) -> set[str]:
    """First-party modules that a module imports, and those that they import; not through ``fences``."""
    todo, seen = [name], set[str]()
    while todo:
        part = todo.pop()
        if part in seen or part not in trees or part in SHARED or part in fences:
            continue
        seen.add(part)
        inside = paths[part].name == "__init__.py"
        todo += imports(trees[part], part if inside else part.rpartition(".")[0])
        if inside and any(not isinstance(node, ast.Expr) for node in trees[part].body):
            todo += [other for other in trees if other.startswith(f"{part}.")]
    return seen


def _files(tree: ast.Module, folder: Path, root: Path) -> Iterator[tuple[str, str]]:
    """Files beside or below a module whose name it spells out, such as a template."""
    words = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in ("", ".py", ".pyc") and path.name in words and path.is_file():
            yield path.relative_to(root).as_posix(), _short(path.read_bytes())


def _is_silent(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return any(isinstance(target, ast.Name) and target.id == "VERSION" for target in targets)


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


if __name__ == "__main__":
    for line in write():
        print(line)
    print(f"pinned {len(pinned())} methods in {PINS.relative_to(ROOT)}")
    sys.exit(0)
