"""What a result depends on, as digests: its spec, the code that computes it, the versions below that code."""

import ast
import hashlib
import importlib.util
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from importlib.metadata import version
from pathlib import Path

import grimp
import torch

PACKAGE = __name__.split(".", maxsplit=1)[0]
# They move and show results and cannot change them: a word in an error message must not cost a training.
MACHINERY = frozenset(
    f"{PACKAGE}.{name}" for name in ("artifacts", "cluster", "orphans", "store", "digests", "progress")
)


def digest(*parts: str) -> str:
    """SHA-256 of text parts, each with its length, so that moving a boundary changes the digest."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode()).hexdigest()


def canonical(value: object) -> object:
    """Plain JSON data that stands for a spec.

    Args:
        value: a frozen dataclass of numbers, strings, enums, dtypes, paths, tuples, mappings and dataclasses.

    Returns:
        The same as nested lists and dictionaries, each dataclass with its name.

    Raises:
        TypeError: where something in it has no fixed text.
    """
    if is_dataclass(value) and not isinstance(value, type):
        named = {field.name: canonical(getattr(value, field.name)) for field in fields(value)}
        return {"type": type(value).__qualname__, **named}
    if isinstance(value, Enum):
        return [type(value).__qualname__, value.name]
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, tuple | list):
        return [canonical(element) for element in value]
    if isinstance(value, Mapping):
        return {str(key): canonical(element) for key, element in value.items()}
    if isinstance(value, torch.dtype | torch.device | Path):
        return str(value)
    required = "a number, string, enum, dtype, path, tuple, mapping or dataclass is required"
    raise TypeError(f"spec: received {value!r} of type {type(value).__qualname__}; {required}")


def spec_text(spec: object) -> str:
    """The JSON text of a spec, floats in full precision."""
    return json.dumps(canonical(spec), sort_keys=True)


@cache
def code_text(source: str) -> str:
    """Python source without comments, layout and docstrings: what remains can change a result."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def imported_modules(source: str) -> frozenset[str]:
    """The modules of this package that a piece of source imports by name."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            named |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(named) & _graph(PACKAGE).modules


@cache
def module_digest(module: str) -> str:
    """Digest of the code of a module and of all it imports from its own package and from ours."""
    root = module.split(".", maxsplit=1)[0]
    found = importlib.util.find_spec(root)
    if found is not None and found.submodule_search_locations is not None:
        graph = _graph(*sorted({root, PACKAGE}))
        return _digest_of({module} | graph.find_upstream_modules(module))
    source = _source(module)
    return digest(code_text(source), imports_digest(imported_modules(source)))


def imports_digest(modules: Iterable[str]) -> str:
    """Digest of the code of some modules of this package and of all they import."""
    graph = _graph(PACKAGE)
    return _digest_of({name for module in modules for name in {module} | graph.find_upstream_modules(module)})


@cache
def versions() -> dict[str, str]:
    """Versions of Python and of the libraries whose numbers end up in results."""
    libraries = {name: version(name) for name in ("torch", "numpy", "scipy")}
    return {"python": platform.python_version(), **libraries}


@cache
def _graph(*packages: str) -> grimp.ImportGraph:
    return grimp.build_graph(*packages, cache_dir=None)


def _digest_of(modules: Iterable[str]) -> str:
    kept = sorted(set(modules) - MACHINERY)
    return digest(*(part for module in kept for part in (module, code_text(_source(module)))))


@cache
def _source(module: str) -> str:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        raise ValueError(f"module: received {module!r}; an importable Python source file is required")
    return Path(found.origin).read_text(encoding="utf-8")
