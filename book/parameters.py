"""Parameters of a chapter: what its cell tagged `parameters` declares, and what the command line may set."""

import ast
import builtins
import typing
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import papermill
from beartype.door import is_bearable
from nbformat import NotebookNode

Parameter = bool | int | float | str | None | tuple[Any, ...]


class BuildError(Exception):
    """What the reader is told, in one message and without a traceback."""


class Declared(NamedTuple):
    """A parameter as the cell of a chapter declares it, each part in the words that stand there."""

    name: str
    annotation: str
    default: str
    comment: str


def table(notebook: NotebookNode) -> list[Declared]:
    """The parameters of a chapter, in the order of their cell."""
    keys = ("inferred_type_name", "default", "help")
    found = papermill.inspect_notebook(notebook)
    return [Declared(name, *(str(entry[key]) for key in keys)) for name, entry in found.items()]


def declared(notebook: NotebookNode) -> dict[str, str]:
    """Names and annotations of a chapter's parameters, in the order of their cell."""
    return {each.name: each.annotation for each in table(notebook)}


def split(assignment: str) -> tuple[str, str]:
    """Name and text of one `name=value`.

    Raises:
        BuildError: where there is no `=`.
    """
    name, equals, text = assignment.partition("=")
    if not (name and equals):
        raise BuildError(f"parameter is {assignment!r}; it must be written name=value")
    return name, text


def known(assignments: Mapping[str, str], chapters: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse parameters that no chosen chapter declares.

    Raises:
        BuildError: naming the parameter and those there are.
    """
    valid = sorted({name for types in chapters.values() for name in types} - {"profile"})
    for name, text in assignments.items():
        if name == "profile":
            raise BuildError(
                f"parameter 'profile' is {text!r}; the profile is set by --profile (make: PROFILE=)"
            )
        if name not in valid:
            where = " or ".join(chapters) or "any chapter"
            raise BuildError(
                f"unknown parameter {name!r} (value {text!r}) in {where}; valid: {', '.join(valid)}"
            )


def parse(name: str, text: str, annotation: str) -> Parameter:
    """The value of a parameter, checked against its annotation.

    Args:
        name: the parameter.
        text: its value as typed.
        annotation: its type as the chapter declares it, `float` or `int | None`.

    Raises:
        BuildError: naming the parameter, the text received and the type required.

    Example:
        >>> parse("gamma", "0.8", "float")
        0.8
    """
    hint = _hint(annotation)
    for value in _readings(text):
        # For Python a bool is an int, for the reader it is not.
        surprising = isinstance(value, bool) and "bool" not in annotation
        if _fits(value, hint) and not surprising:
            return value
    raise BuildError(f"parameter {name!r} is {text!r}; it must be of type {annotation}")


def _fits(value: object, hint: Any) -> bool:
    kind, inner = typing.get_origin(hint), [each for each in typing.get_args(hint) if each is not ...]
    if kind in (list, tuple):  # beartype looks at one element, chosen at random
        return isinstance(value, kind) and all(any(_fits(each, one) for one in inner) for each in value)
    return bool(is_bearable(value, hint))


def _hint(annotation: str) -> Any:
    if annotation == "None":  # papermill's word for a parameter without annotation
        return object
    hint: object = eval(annotation, {"__builtins__": {}}, {**vars(typing), **vars(builtins)})
    return hint


def _readings(text: str) -> Sequence[Parameter]:
    """What a text may mean, the most exact first: a literal, the same as float, the text itself."""
    try:
        literal = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        literal = text
    readings = [literal]
    if isinstance(literal, int) and not isinstance(literal, bool):
        readings.append(float(literal))
    elif isinstance(literal, str) and text.lower().strip("+-") in ("inf", "nan"):
        readings.append(float(text))
    return [*readings, text]
