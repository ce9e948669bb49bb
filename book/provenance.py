"""What made each chapter and what it shows. Times stand on this page and in no notebook, table or caption."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from book import execute, parameters

Manifest = Mapping[str, Any]

HEADER = """\
# Provenance

Each chapter is executed once for a given state of its source, its parameters, the code it uses and the
libraries below that, and kept in the store with a manifest. This is what the manifests of these pages say. A
commit marked *with changes* was not clean when the chapter ran. The hash is the beginning of the SHA-256 of
the executed notebook, which the download button of its page gives.

"""
CHAPTERS = """| chapter | profile | parameters | commit | made | seconds | device | hash |
|---|---|---|---|---|---|---|---|
"""
FULL_SIZE = """
## Chapters executed at full size

What they glued comes with the book, in `book/paper`, and stands in the {doc}`/book/scoreboard` under `paper`.

"""
ITEMS = """
## What {title} was made from

The items of the store that the chapter read, and those that they were made from.

| item | made by | seed | commit | made | seconds | device | bytes |
|---|---|---|---|---|---|---|---|
"""
RECORDED = """
## Tables that come with the book

The rows of `results/paper` were measured one by one, at the sizes of the profile `paper`, and are read here.

| row | part | made by | seed | commit | made | seconds | device |
|---|---|---|---|---|---|---|---|
"""


def page(chapters: Mapping[str, Manifest], used: Mapping[str, Mapping[str, Manifest]], root: Path) -> str:
    """The page in Markdown.

    Args:
        chapters: the manifest of each chapter's execution, by name.
        used: the manifests of what each chapter was made from, by chapter and by name.
        root: of the project, whose kept tables have their manifests beside them.
    """
    results = root / "results" / "paper"
    full_size = {path.stem: _read(path) for path in sorted((root / "book" / "paper").glob("*.json"))}
    recorded = [
        _line(f"`{path.relative_to(results).with_suffix('')}`", part, *_made(manifest))
        for path in sorted(results.rglob("*.json"))
        for part, manifest in _recorded(_read(path))
    ]
    parts = [HEADER, *_chapters(chapters), _versions(chapters)]
    parts += [FULL_SIZE, *_chapters(full_size)] if full_size else []
    for name, items in used.items():
        if items:
            parts += [ITEMS.format(title=f"{{doc}}`{name}`"), *(_item(*pair) for pair in items.items())]
    return "".join([*parts, RECORDED, *recorded] if recorded else parts)


def origins(store: Path, names: Iterable[str]) -> dict[str, Manifest]:
    """The manifests of stored items and of all that they were made from, sorted by name.

    What was removed from the store since is left out, with what only it was made from.
    """
    found: dict[str, Manifest] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        file = store / name / "manifest.json"
        if name not in found and file.exists():
            found[name] = _read(file)
            waiting += found[name]["parents"]
    return dict(sorted(found.items()))


def line(manifest: Manifest, used: Mapping[str, Manifest]) -> dict[str, str]:
    """What stands under the figures of a chapter: profile, commit, seed and devices, and no times."""
    spec = manifest["spec"]
    declared = parameters.table(execute.read(spec["source"]))
    values = {**{each.name: each.default for each in declared}, **dict(spec["parameters"])}
    devices = sorted({str(each["device"]) for each in (manifest, *used.values())})
    origin = {"profile": spec["profile"], "commit": _commit(manifest).replace("`", "")}
    return {**origin, "seed": str(values.get("seed", "none")), "device": ", ".join(devices)}


def _recorded(kept: Manifest) -> Iterator[tuple[str, Manifest]]:
    """The manifests of a file: one a part, or what all have in common beside what each has of its own."""
    if "items" not in kept:
        yield from kept.items()
        return
    for name, own in kept["items"].items():
        yield f"`{name}`", {**kept, **own, "compute": name.rpartition("-")[0]}


def _read(path: Path) -> Manifest:
    manifest: Manifest = json.loads(path.read_text(encoding="utf-8"))
    return manifest


def _chapters(manifests: Mapping[str, Manifest]) -> list[str]:
    return [CHAPTERS, *(_chapter(name, manifest) for name, manifest in manifests.items())]


def _chapter(name: str, manifest: Manifest) -> str:
    spec = manifest["spec"]
    given = ", ".join(f"`{key} = {value!r}`" for key, value in spec["parameters"]) or "its own"
    made, seconds, device = manifest["made"], f"{manifest['seconds']:.1f}", manifest["device"]
    sha256 = f"`{manifest['artifact']['sha256'][:16]}`"
    return _line(f"{{doc}}`{name}`", spec["profile"], given, _commit(manifest), made, seconds, device, sha256)


def _item(name: str, manifest: Manifest) -> str:
    return _line(f"`{name}`", *_made(manifest), str(manifest["artifact"]["bytes"]))


def _made(manifest: Manifest) -> tuple[str, ...]:
    by = manifest["compute"].removeprefix("neighborhoods.")
    seed = "" if manifest["seed"] is None else str(manifest["seed"])
    seconds = f"{manifest['seconds']:.1f}"
    return f"`{by}`", seed, _commit(manifest), manifest["made"], seconds, str(manifest["device"])


def _commit(manifest: Manifest) -> str:
    commit = f"`{manifest['commit'][:10]}`" if manifest["commit"] else "unknown"
    return commit + (" with changes" if manifest["dirty"] else "")


def _line(*fields: str) -> str:
    return "| " + " | ".join(fields) + " |\n"


def _versions(chapters: Mapping[str, Manifest]) -> str:
    pairs = [pair for each in chapters.values() for pair in each["versions"].items()]
    pairs += [pair for each in chapters.values() for pair in each["spec"]["libraries"]]
    return "\nMade with " + ", ".join(f"{name} {number}" for name, number in dict(pairs).items()) + ".\n"
