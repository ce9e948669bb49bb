"""Trajectories on disk: a folder of safetensors files, read one state at a time."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from neighborhoods.kernels.trajectories import Rule, Trajectory

if TYPE_CHECKING:
    from neighborhoods.models.trajectory import Recorded

INDEX = "trajectory.json"
NUMBERS = "numbers.safetensors"


@dataclass(frozen=True)
class Shards:
    """A sequence of vectors in files of so many rows each, read when asked for.

    Attributes:
        folder: where the files are.
        name: "states" or "scales".
        count: how many vectors there are.
        rows: how many a file has, but the last.
    """

    folder: Path
    name: str
    count: int
    rows: int

    def __len__(self) -> int:
        """Return how many vectors there are."""
        return self.count

    def __getitem__(self, index: int, /) -> Tensor:
        """Read one vector.

        Raises:
            IndexError: there is no such vector.
            FileNotFoundError: the file that should hold it is missing.
            ValueError: the file is cut short or damaged.
        """
        if not -self.count <= index < self.count:
            raise IndexError(f"index: got {index}; required one of the {self.count} {self.name}")
        shard, row = divmod(index % self.count, self.rows)
        path = self.folder / _file(self.name, shard)
        if not path.exists():
            raise FileNotFoundError(f"{self.name}: {path} is missing; required for checkpoint {index}")
        try:
            with safe_open(path, framework="pt") as file:
                vector: Tensor = file.get_slice(self.name)[row]
        except SafetensorError as error:
            raise ValueError(
                f"{self.name}: {path} is damaged ({error}); required whole for checkpoint {index}"
            ) from error
        return vector


def write_trajectory(
    folder: Path,
    start: Tensor,
    run: Iterable["Recorded"],
    *,
    rule: Rule,
    reduction: Literal["sum", "mean"],
    batches: Sequence[Tensor] | None,
    shard: int,
) -> None:
    """Stream a run to a folder; its index is written last, so that an unfinished one is not taken for a run.

    Args:
        folder: made if missing.
        start: the initial parameters.
        run: what each step leaves.
        rule, reduction, batches: see `Trajectory`.
        shard: most bytes in one file; at least one state is in each.

    Raises:
        ValueError: the folder holds a trajectory already.
    """
    if (folder / INDEX).exists():
        raise ValueError(f"folder: got {folder}, which holds a trajectory; required one without")
    folder.mkdir(parents=True, exist_ok=True)
    rows = max(1, shard // (start.numel() * start.element_size()))
    held, written, rates = {"states": [start.cpu()], "scales": []}, {"states": 0, "scales": 0}, []
    for one in run:
        rates.append(one.rate)
        for name, vector in (("states", one.state), ("scales", one.scale)):
            if vector is not None:
                held[name].append(vector.cpu())
            if len(held[name]) > rows:
                _flush(folder, name, held, written, rows)
    for name in held:
        _flush(folder, name, held, written, rows)
    numbers = {f"batch/{s}": batch for s, batch in enumerate(batches or [])}
    save_file(numbers | {"rates": torch.tensor(rates, dtype=torch.float64)}, folder / NUMBERS)
    index = {"rule": asdict(rule), "reduction": reduction, "rows": rows, "batched": batches is not None}
    temporary = folder / (INDEX + ".part")
    temporary.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    temporary.replace(folder / INDEX)


def read_trajectory(folder: Path) -> Trajectory:
    """Open a trajectory written by `write_trajectory`; states are read when asked for.

    Raises:
        FileNotFoundError: the folder has no complete trajectory.
    """
    if not (folder / INDEX).exists():
        raise FileNotFoundError(f"folder: {folder / INDEX} is missing; required a complete trajectory")
    index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    numbers = load_file(folder / NUMBERS)
    rates, rule = numbers["rates"], Rule(**index["rule"])
    batches = [numbers[f"batch/{s}"] for s in range(len(rates))] if index["batched"] else None
    states = Shards(folder, "states", len(rates) + 1, index["rows"])
    scales = Shards(folder, "scales", len(rates), index["rows"]) if rule.adaptive else None
    return Trajectory(states, rates, rule, index["reduction"], batches, scales)


def to_tensors(trajectory: Trajectory) -> dict[str, Tensor]:
    """Return a trajectory as named tensors, for one file; see `from_tensors`."""
    rule = trajectory.rule
    flags = [rule.adaptive, rule.averaged, trajectory.reduction == "mean"]
    numbers = [rule.momentum, rule.gain, rule.penalty, rule.shrinkage, *flags]
    named = {"rates": trajectory.rates, "rule": torch.tensor(numbers, dtype=torch.float64)}
    named["states"] = torch.stack([trajectory.states[s] for s in range(len(trajectory.states))])
    if trajectory.scales is not None:
        named["scales"] = torch.stack([trajectory.scales[s] for s in range(len(trajectory.scales))])
    return named | {f"batch/{s}": batch for s, batch in enumerate(trajectory.batches or [])}


def from_tensors(named: dict[str, Tensor], name: str = "recorded rule") -> Trajectory:
    """Return the trajectory that `to_tensors` took apart; other names among the tensors are ignored.

    Raises:
        KeyError: a tensor is missing.
    """
    momentum, gain, penalty, shrinkage, adaptive, averaged, mean = named["rule"].tolist()
    batched = "batch/0" in named
    return Trajectory(
        named["states"],
        named["rates"],
        Rule(name, momentum, gain, penalty, shrinkage, bool(adaptive), bool(averaged)),
        "mean" if mean else "sum",
        [named[f"batch/{s}"] for s in range(len(named["rates"]))] if batched else None,
        named["scales"] if adaptive else None,
    )


def _file(name: str, shard: int) -> str:
    return f"{name}-{shard:05}.safetensors"


def _flush(
    folder: Path, name: str, held: dict[str, list[Tensor]], written: dict[str, int], rows: int
) -> None:
    """Write full files of rows, or what is left of them."""
    if held[name]:
        part, held[name] = held[name][:rows], held[name][rows:]
        save_file({name: torch.stack(part)}, folder / _file(name, written[name]))
        written[name] += 1
