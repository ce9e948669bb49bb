"""Attacks of least Euclidean distance from the foolbox package, targeted."""

import warnings
from importlib import import_module
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn


def nearest(
    method: str,
    network: nn.Module,
    natural: Float[Tensor, "m ..."],
    targets: Int[Tensor, " m"] | None,
    **settings: Any,
) -> Float[Tensor, "m ..."]:
    """Return the nearest adversarial images that an attack of foolbox finds, natural ones where it finds
    none.

    Args:
        method: "DDN", "FMN" or "C&W"; the last without its early stop, which reads the sum over a batch.
        network: in evaluation mode.
        natural: images in [0, 1].
        targets: classes to reach.
        settings: what the attack's class is told.

    Raises:
        ValueError: no classes to reach.

    Source: Rony et al. (2019); Pintor et al. (2021); Carlini and Wagner (2017); Rauber et al. (2020).
    """
    with warnings.catch_warnings():
        # foolbox imports from a SciPy namespace that is to go; it has had no release since.
        warnings.filterwarnings("ignore", "Please import `gaussian_filter`", DeprecationWarning)
        foolbox: Any = import_module("foolbox")  # seconds, and only this function needs it
    if targets is None:
        raise ValueError("targets: got None; required the classes to reach")
    known: dict[str, Any] = {
        "DDN": foolbox.attacks.DDNAttack,
        "FMN": foolbox.attacks.L2FMNAttack,
        "C&W": foolbox.attacks.L2CarliniWagnerAttack,
    }
    late = {"abort_early": False} if method == "C&W" else {}
    model = foolbox.PyTorchModel(network, bounds=(0, 1), device=natural.device)
    criterion = foolbox.TargetedMisclassification(targets)
    found: Tensor = known[method](**settings, **late).run(model, natural, criterion)
    return found.detach()
