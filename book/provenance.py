"""The page that says what made each chapter. Times and commits stand here and in no notebook or table."""

from collections.abc import Mapping
from typing import Any

HEADER = """\
# Provenance

Each chapter is executed once for a given state of its source, its parameters, the code it uses and the
libraries below that, and kept in the store with a manifest. This is what the manifests of these pages say. A
commit marked *with changes* was not clean when the chapter ran. The hash is the beginning of the SHA-256 of
the executed notebook, which the download button of its page gives.

| chapter | profile | parameters | commit | made | seconds | device | hash |
|---|---|---|---|---|---|---|---|
"""


def page(manifests: Mapping[str, Mapping[str, Any]]) -> str:
    """The page in Markdown, from the manifest of each chapter's execution."""
    rows = "".join(_row(name, manifest) for name, manifest in manifests.items())
    versions = {
        **{key: value for manifest in manifests.values() for key, value in manifest["versions"].items()},
        **{key: value for manifest in manifests.values() for key, value in manifest["spec"]["libraries"]},
    }
    return (
        HEADER
        + rows
        + "\nMade with "
        + ", ".join(f"{key} {value}" for key, value in versions.items())
        + ".\n"
    )


def _row(name: str, manifest: Mapping[str, Any]) -> str:
    spec = manifest["spec"]
    parameters = ", ".join(f"`{key} = {value!r}`" for key, value in spec["parameters"]) or "its own"
    commit = f"`{manifest['commit'][:10]}`" if manifest["commit"] else "unknown"
    fields = (
        f"{{doc}}`{name}`",
        spec["profile"],
        parameters,
        commit + (" with changes" if manifest["dirty"] else ""),
        manifest["made"],
        f"{manifest['seconds']:.1f}",
        manifest["device"],
        f"`{manifest['artifact']['sha256'][:16]}`",
    )
    return "| " + " | ".join(fields) + " |\n"
