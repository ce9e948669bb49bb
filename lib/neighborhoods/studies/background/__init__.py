"""The background chapter's plan: one network, the same images, and every attack of the book.

    trained ─┬─ everywhere    L-BFGS towards each of the nine other classes (Figure 3, and rows of both
    tables)
             └─ attacked      each other attack, one item an attack

Each function takes the chapter's numbers and returns an `Item` for `Store.get`, or rows of tables.
"""

from importlib.metadata import version

import pandas as pd
from torch import Tensor

from neighborhoods import profiles
from neighborhoods.cluster import side_by_side
from neighborhoods.profiles import BackgroundSpec
from neighborhoods.store import Item, Store
from neighborhoods.studies.background import attacks
from neighborhoods.studies.persistence import table, zoo

SIGNS = ("BIM", "MIFGSM", "PGD")
PACKAGED = ("FGSM", *SIGNS, "R+FGSM", "DeepFool", "JSMA")
PEERS = ("DDN", "FMN", "C&W")
DEFAULTS = "rounds 4, iterations 60, refinements 2"
"""What L-BFGS is told elsewhere in the book: the defaults of its kernel."""


def trained(profile: str, spec: BackgroundSpec) -> Item[dict[str, Tensor]]:
    """The network of Table 1, which the chapter on fourteen networks has, too."""
    return table.trained(profiles.networks(profile, seed=spec.seed), spec.network)


def everywhere(profile: str, spec: BackgroundSpec) -> Item[pd.DataFrame]:
    """Rows of L-BFGS towards every other class."""
    numbers = attacks.EverywhereSpec(zoo.entry(spec.network).network, spec.sources, spec.seed)
    return Item(attacks.everywhere, numbers, (trained(profile, spec),))


def attacked(profile: str, spec: BackgroundSpec, numbers: attacks.AttackedSpec) -> Item[pd.DataFrame]:
    """Rows of one attack."""
    return Item(attacks.attack, numbers, (trained(profile, spec),))


def plan(spec: BackgroundSpec) -> list[attacks.AttackedSpec]:
    """Return what each attack but L-BFGS is told."""
    signs = {"epsilon": spec.epsilon, "alpha": spec.alpha, "steps": spec.steps}
    told: dict[tuple[str, str], dict[str, float]] = {
        ("ours", attacks.MANY): {"starts": spec.starts},
        ("ours", "FGSM"): {"epsilon": spec.epsilon},
        ("ours", "IGSM"): signs,
        ("ours", "CW"): {"rounds": 5, "steps": 100},
    }
    for method in PACKAGED:
        radius = {"epsilon": spec.epsilon} if "FGSM" in method else {}
        told["torchattacks", method] = signs if method in SIGNS else radius
    told["torchattacks", "DeepFool"] = {"steps": spec.crossings, "overshoot": 0.02}
    told["torchattacks", "JSMA"] = {"theta": 1.0, "gamma": 0.1}
    for peer in PEERS:
        told["foolbox", peer] = {"steps": spec.peer_steps}
    told["foolbox", "FMN"] |= {"max_stepsize": 0.1}
    told["foolbox", "C&W"] |= {
        "binary_search_steps": spec.peer_rounds,
        "stepsize": 0.05,
        "initial_const": 0.1,
    }
    return [_numbers(spec, *name, settings) for name, settings in told.items()]


def _numbers(
    spec: BackgroundSpec, source: str, method: str, settings: dict[str, float]
) -> attacks.AttackedSpec:
    return attacks.AttackedSpec(
        zoo.entry(spec.network).network,
        source,
        method,
        tuple(settings.items()),
        spec.slow if method == "JSMA" else spec.sources,
        spec.seed,
        "" if source == "ours" else version(source),
    )


def measurements(store: Store, profile: str, spec: BackgroundSpec, *, jobs: int = 2) -> pd.DataFrame:
    """Return a row for each attack and image, failures among them, of all attacks.

    Columns: ``attack``, ``settings``, ``goal`` (targeted or untargeted), those of `attacks.rows`.
    """
    plans = plan(spec)
    others = [attacked(profile, spec, numbers) for numbers in plans]
    # The last attack takes longest, and is begun early.
    nine, *found = side_by_side(store.get, [everywhere(profile, spec), *others[::-1]], jobs=jobs)
    named = [
        rows.assign(attack=numbers.name, settings=numbers.text)
        for rows, numbers in zip(found[::-1], plans, strict=True)
    ]
    least = attacks.of_nine(nine, spec.seed).assign(settings=DEFAULTS)
    return pd.concat([least, *named], ignore_index=True)
