"""The attacks of the book on the same images of MNIST, towards the same classes, as tidy rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import pandas as pd
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from neighborhoods.kernels.attacks import fgsm, igsm, lead
from neighborhoods.kernels.carlini_wagner import carlini_wagner
from neighborhoods.kernels.minimum_distortion import minimum_distortion
from neighborhoods.kernels.statistics import Status
from neighborhoods.models.networks import CLASSES, load
from neighborhoods.models.packaged_attacks import Method
from neighborhoods.models.packaged_attacks import attack as packaged
from neighborhoods.progress import bar
from neighborhoods.studies.background import peers
from neighborhoods.studies.persistence.adversaries import every_other_class, sources

BATCH = 100
OURS: dict[str, Callable[..., Any]] = {"FGSM": fgsm, "IGSM": igsm, "CW": carlini_wagner}
COUNTS = {"steps", "rounds", "starts", "binary_search_steps"}
MANY = "L-BFGS from many starts"
L_BFGS = {"targeted": "L-BFGS", "untargeted": "L-BFGS, nearest of nine"}


@dataclass(frozen=True)
class EverywhereSpec:
    """The network's name, how many test images are attacked, and the seed of the draw."""

    network: str
    images: int
    seed: int


@dataclass(frozen=True)
class AttackedSpec:
    """Numbers of one attack.

    Attributes:
        network: name of the network attacked.
        source: "ours", "torchattacks" or "foolbox".
        method: what the source calls the attack.
        settings: names and values; counts are whole numbers.
        images: test images attacked, drawn among those classified correctly, each towards one other class.
        seed: of the draws.
        version: of the package that the attack comes from.
    """

    network: str
    source: str
    method: str
    settings: tuple[tuple[str, float], ...]
    images: int
    seed: int
    version: str

    @property
    def name(self) -> str:
        """The attack and where it comes from."""
        return f"{self.method}, {self.source}"

    @property
    def numbers(self) -> dict[str, float]:
        """The settings, counts as integers."""
        return {name: int(value) if name in COUNTS else value for name, value in self.settings}

    @property
    def text(self) -> str:
        """The settings for a table."""
        return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in self.settings)


class Pairs(NamedTuple):
    """Images, their classes, the classes to reach (None for any other), and their numbers in the test set."""

    natural: Float[Tensor, "m ..."]
    labels: Int[Tensor, " m"]
    targets: Int[Tensor, " m"] | None
    numbers: Int[Tensor, " m"]


def attack(spec: AttackedSpec, trained: dict[str, Tensor]) -> pd.DataFrame:
    """Return one row an image, failures among them, see `rows`."""
    network = load(spec.network, trained)
    natural, labels, numbers = sources(network, spec.images, spec.seed)
    wanted = None if spec.method == "DeepFool" else targets(labels, spec.seed)
    pairs = Pairs(natural, labels, wanted, numbers)
    return rows(network, pairs, *_moved(spec, network, pairs))


def everywhere(spec: EverywhereSpec, trained: dict[str, Tensor]) -> pd.DataFrame:
    """Return the rows of L-BFGS towards each class that is not the image's own."""
    network = load(spec.network, trained)
    natural, labels, numbers = sources(network, spec.images, spec.seed)
    row, wanted = every_other_class(labels)
    batches = list(zip(natural[row].split(BATCH), wanted.split(BATCH), strict=True))
    found = [minimum_distortion(network, *batch) for batch in bar(batches, description="L-BFGS")]
    points = torch.cat([part.points for part in found])
    return rows(network, Pairs(natural[row], labels[row], wanted, numbers[row]), points)


def targets(labels: Int[Tensor, " images"], seed: int) -> Int[Tensor, " images"]:
    """Return one other class for each image, drawn at random."""
    other = torch.randint(1, CLASSES, labels.shape, generator=torch.Generator().manual_seed(seed))
    return (labels + other) % CLASSES


def of_nine(everywhere: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return L-BFGS towards the class drawn for each image, and towards the nearest of its nine classes."""
    images = everywhere.drop_duplicates("image")
    drawn = targets(torch.tensor(images["label"].to_numpy()), seed).numpy()
    one = everywhere.merge(images[["image"]].assign(target=drawn), on=["image", "target"])
    reached = everywhere.assign(length=everywhere["distortion"].where(everywhere["success"]))
    nearest = reached.sort_values("length", kind="stable").drop_duplicates("image").drop(columns="length")
    nearest = nearest.assign(goal="untargeted", target=-1)
    parts = [part.assign(attack=L_BFGS[str(part["goal"].iloc[0])]) for part in (one, nearest)]
    return pd.concat(parts, ignore_index=True)


def rows(
    network: nn.Module, pairs: Pairs, points: Float[Tensor, "m ..."], status: Int[Tensor, " m"] | None = None
) -> pd.DataFrame:
    """Return how each attack ended, judged by one rule for all of them.

    Columns: ``goal``, ``image`` (its number in the test set), ``label``, ``target`` (-1 for any other class),
    ``success`` (the wanted logit is greater than every other one), ``status`` and ``distortion``.
    """
    natural, labels, wanted, numbers = pairs
    with torch.no_grad():
        logits = network(points)
    ahead = -lead(logits, labels) if wanted is None else lead(logits, wanted)
    success: Bool[Tensor, " m"] = ahead > 0
    codes = torch.where(success, Status.CONVERGED, Status.FAILED) if status is None else status
    return pd.DataFrame(
        {
            "goal": "untargeted" if wanted is None else "targeted",
            "image": numbers.numpy(),
            "label": labels.numpy(),
            "target": -1 if wanted is None else wanted.numpy(),
            "success": success.numpy(),
            "status": [Status(code).name.lower() for code in codes.tolist()],
            "distortion": (points - natural).flatten(1).double().square().mean(1).sqrt().numpy(),
        }
    )


def _moved(spec: AttackedSpec, network: nn.Module, pairs: Pairs) -> tuple[Tensor, Tensor | None]:
    """Return the attacked points, and the status of each row where the attack tells one."""
    numbers: dict[str, Any] = spec.numbers | {"targets": pairs.targets}
    source = torch.Generator().manual_seed(spec.seed)
    if spec.method == MANY:
        return minimum_distortion(network, pairs.natural, generator=source, **numbers).points, None
    if spec.source == "ours":
        return OURS[spec.method](network, pairs.natural, pairs.labels, **numbers).points, None
    if spec.source == "foolbox":
        return peers.nearest(spec.method, network, pairs.natural, **numbers), None
    method = cast(Method, spec.method)
    found = packaged(method, network, pairs.natural, pairs.labels, generator=source, **numbers)
    return found.points, found.status
