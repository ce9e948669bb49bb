"""Call every public function with bad arguments, as a user would: `python tests/faults/bad_inputs.py TABLE`.

Public is each function of `neighborhoods.kernels` whose docstring names its source, and each of the modules
`MODELS` whose docstring says what it raises. It is called with the valid arguments of `valid_calls`, then
with one of them spoilt. It survives by refusing, with a `ValueError`
or `TypeError` that names the argument, or by a true answer: no rows for no points, the same numbers for
integers as for equal floats, a status that admits the failure. All else fails: other exceptions, calls
without an end. The hook that checks shapes in other tests is not installed.
"""

import argparse
import copy
import importlib
import inspect
import pkgutil
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_args

import pandas as pd
import torch
from neighborhoods import kernels, models
from neighborhoods.kernels.statistics import Status
from neighborhoods.kernels.trajectories import Trajectory
from torch import Generator, Tensor, nn
from valid_calls import CALLS

SECONDS = 60
FRACTIONS = ("gamma", "confidence", "probability")
NAN, INFINITE = float("nan"), float("inf")
FLOATS = {"NaN": NAN, "infinite": INFINITE, "negative": -1.0, "zero": 0.0, "wrong type": "1"}
COUNTS = {"negative": -1, "zero": 0, "wrong type": 1.5}
# Of the others, `training` and `shards` take specifications and files, `precision` a switch.
MODELS = (
    "average_vector_field",
    "datasets",
    "defences",
    "images",
    "networks",
    "optimisers",
    "packaged_attacks",
    "perceptrons",
    "pretrained",
    "trajectory",
)
# What a message may name for the whole; the book's parameters are called network and images.
PARTS = {"trajectory": ["states"], "gammas": ["gamma"], "name": ["network"], "folder": ["images"]}
ADMITTED = (Status.UNDECIDED, Status.FAILED)


class Outcome(NamedTuple):
    """What came of a fault: `refused`, `answered` or `failed`, and what was said."""

    function: str
    argument: str
    fault: str
    verdict: str
    said: str


def public() -> dict[str, Callable[..., Any]]:
    """The public functions by module and name."""
    found = {}
    for module in pkgutil.iter_modules(kernels.__path__):
        found |= _of_module(kernels, module.name, "Source:")
    for name in MODELS:
        found |= _of_module(models, name, "Raises:")
    return found


def _of_module(package: ModuleType, module: str, word: str) -> dict[str, Callable[..., Any]]:
    content = importlib.import_module(f"{package.__name__}.{module}")
    return {
        f"{module}.{name}": value
        for name, value in vars(content).items()
        if inspect.isfunction(value)
        and value.__module__ == content.__name__
        and not name.startswith("_")
        and word in (value.__doc__ or "")
    }


def faults(function: Callable[..., Any], name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The faults of an argument, each with the spoilt value."""
    if isinstance(value, Tensor):
        parameters = inspect.signature(function).parameters
        yield from _of_tensor(
            value, parameters[name].annotation, [other.annotation for other in parameters.values()]
        )
    elif isinstance(value, bool):
        return
    elif isinstance(value, int):
        yield from COUNTS.items()
    elif isinstance(value, float):
        yield from (FLOATS | ({"out of range": 1.5} if name in FRACTIONS else {})).items()
    elif isinstance(value, str):
        yield "another word", "other"
    elif isinstance(value, tuple) and all(isinstance(end, float) for end in value):
        yield "NaN", (NAN, *value[1:])
        yield ("out of range", value[::-1]) if name != "gammas" else ("out of range", (1.5, *value[1:]))
    elif isinstance(value, nn.Module):
        yield "NaN", _with_nan(value)
    elif name == "classifier":
        yield "NaN", lambda x: value(x) * NAN
        yield "wrong shape", lambda x: value(x).flatten()
    else:
        yield from _of_structure(value)


def _of_tensor(value: Tensor, annotation: Any, annotations: list[Any]) -> Iterator[tuple[str, Tensor]]:
    if value.is_floating_point():
        yield "NaN", _first(value, NAN)
        yield "infinite", _first(value, INFINITE)
        yield "integers", (9 * value).round().to(torch.int64)
    else:
        yield "negative", _first(value, -1)
        yield "out of range", _first(value, 10**6)
        yield "wrong type", value + 0.5
    yield "empty", value[:0]
    yield "wrong device", value.to("meta")
    axes, others = _axes(annotation), [_axes(other) for other in annotations if other is not annotation]
    if any(not axis.startswith(("*", "...")) for axis in axes) and float not in get_args(annotation):
        yield "wrong shape", value.flatten()[0]
    if axes and not axes[0].startswith("*") and any(axes[0] in theirs for theirs in others):
        yield "wrong shape", torch.cat([value, value])


def _axes(annotation: Any) -> list[str]:
    """The names of the axes of a tensor, as its annotation has them."""
    kinds = [kind for kind in (annotation, *get_args(annotation)) if hasattr(kind, "dim_str")]
    return kinds[0].dim_str.replace("#", "").split() if kinds else []


def _of_structure(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Trajectory):
        yield "NaN", replace(value, states=_first(value.states[1], NAN)[None].expand(2, -1))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        name = next(key for key, part in value._asdict().items() if part.is_floating_point())
        yield "NaN", value._replace(**{name: _first(getattr(value, name), NAN)})
    elif is_dataclass(value) or isinstance(value, torch.optim.Optimizer):
        yield "wrong type", None
    elif isinstance(value, list | tuple):
        yield from _of_sequence(value)
    elif isinstance(value, Path):
        yield "out of range", value / "missing"
    elif isinstance(value, dict):
        yield "empty", {}
        yield "wrong shape", {name: part[:0] for name, part in value.items()}
    elif hasattr(value, "dtype"):
        yield "NaN", value * NAN
        yield "empty", value[:0]
        yield "wrong shape", value[..., :-1]


def _of_sequence(value: list[Any] | tuple[Any, ...]) -> Iterator[tuple[str, Any]]:
    first, rest = value[0], value[1:]
    yield "empty", type(value)()
    if isinstance(first, float):
        for fault, number in (("NaN", NAN), ("infinite", INFINITE)):
            yield fault, [number, *rest]
    if isinstance(first, Tensor):
        wrong = {"NaN": NAN} if first.is_floating_point() else {"negative": -1, "out of range": 10**6}
        for fault, number in wrong.items():
            yield fault, type(value)([_first(first, number), *rest])


def _first(value: Tensor, number: float) -> Tensor:
    spoilt = value.clone()
    spoilt.view(-1)[0] = number
    return spoilt


def _with_nan(network: nn.Module) -> nn.Module:
    spoilt = copy.deepcopy(network)
    for parameter in spoilt.parameters():
        parameter.data.fill_(NAN)
    return spoilt


def outcomes(name: str, function: Callable[..., Any]) -> Iterator[Outcome]:
    """Call a function with each fault of each argument.

    Raises:
        Exception: what a call with valid arguments raises.
    """
    valid, free = CALLS[name]
    answer = _called(function, valid)
    for argument, value in valid.items():
        if "targeted" in name and argument != "targets":
            continue
        for fault, spoilt in faults(function, argument, value):
            if fault not in free.get(argument, "").split(", "):
                verdict = judge(function, {**valid, argument: spoilt}, answer, argument, fault)
                yield Outcome(name.split(maxsplit=1)[0], argument, fault, *verdict)


def judge(
    function: Callable[..., Any], arguments: Mapping[str, Any], answer: Any, argument: str, fault: str
) -> tuple[str, str]:
    """The verdict on one bad call, and what was said."""
    try:
        found = _called(function, arguments)
    except (ValueError, TypeError) as error:
        told = str(error).partition("-----")[0]  # behind it, jaxtyping lists all arguments
        said = f"{type(error).__name__}: {told}"
        # Where shapes do not fit together, any of them may be the one that is named.
        names = list(arguments) if fault in ("wrong shape", "empty") else [argument, *PARTS.get(argument, ())]
        return ("refused" if re.search(rf"\b({'|'.join(names)})\b", told) else "failed"), said
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    true = {"empty": lambda: not parts(found)[0].numel()}
    if fault == "integers":
        floats = _called(function, {**arguments, argument: arguments[argument].double()})
        true[fault] = lambda: all(map(_same, parts(found), parts(floats)))
    if isinstance(arguments[argument], nn.Module):  # whose parameters a trajectory replaces
        true[fault] = lambda: all(map(_same, parts(found), parts(answer)))
    status = getattr(found, "status", None)
    admits = isinstance(status, Tensor) and bool(sum(status == code for code in ADMITTED).any())
    if admits or true.get(fault, lambda: False)():
        return "answered", str(found)
    return "failed", str(found)


def _called(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return function(**_copies(arguments))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _copies(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Copies, which a function may overwrite, made together: an optimiser goes on with its network."""
    shared = {id(value): value for value in arguments.values() if isinstance(value, Generator)}
    return copy.deepcopy(dict(arguments), shared)


def _late(*_: object) -> None:
    raise TimeoutError(f"no answer after {SECONDS} seconds")


def parts(answer: Any) -> list[Tensor]:
    """The tensors of an answer."""
    if isinstance(answer, Tensor):
        return [answer]
    inner = (
        answer if isinstance(answer, list | tuple) else vars(answer).values() if is_dataclass(answer) else ()
    )
    return [tensor for part in inner for tensor in parts(part)]


def _same(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one.double(), other.double(), rtol=1e-4, atol=1e-6, equal_nan=True)


def run() -> pd.DataFrame:
    """A row for each fault of each argument of each public function."""
    signal.signal(signal.SIGALRM, _late)
    functions = public()
    found = [outcome for name in CALLS for outcome in outcomes(name, functions[name.split()[0]])]
    return pd.DataFrame(found, columns=Outcome._fields)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """How many were tried of each fault, and how many refused, answered and failed; all of them last."""
    counts = pd.crosstab(rows["fault"], rows["verdict"]).reindex(
        columns=["refused", "answered", "failed"], fill_value=0
    )
    counts.insert(0, "functions", rows.groupby("fault")["function"].nunique())
    counts.insert(1, "tried", rows.groupby("fault").size())
    counts.loc["all faults"] = [rows["function"].nunique(), *counts.iloc[:, 1:].sum()]
    return counts.rename_axis("fault").reset_index()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path, help="where to write how many were tried, refused and answered")
    path = parser.parse_args().table
    table = run()
    for row in table[table["verdict"] == "failed"].itertuples():
        print(f"{row.function}({row.argument}: {row.fault}) -> {row.said[:160]!r}", file=sys.stderr)
    summary(table).to_csv(path, index=False, lineterminator="\n")
