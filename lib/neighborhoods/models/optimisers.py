"""Which rule of training a `torch.optim` optimiser follows, or why no kernel can represent it."""

from typing import Any

import torch
from torch import Tensor, nn

from neighborhoods.kernels.trajectories import Rule

KNOWN = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW)


def rule_of(optimizer: torch.optim.Optimizer, network: nn.Module) -> Rule:
    """Return the rule that the optimiser follows.

    Args:
        optimizer: SGD (with or without momentum and weight decay), Adam or AdamW, over all parameters of the
            network in their order, in one group.
        network: what it trains.

    Raises:
        ValueError: another optimiser, an option that makes steps nonlinear in the gradients or that is not
            implemented (Nesterov, dampening, AMSGrad, maximize), several groups, or parameters left out.
    """
    if type(optimizer) not in KNOWN:
        names = ", ".join(kind.__name__ for kind in KNOWN)
        raise ValueError(f"optimizer: got {type(optimizer).__name__}; required one of {names}")
    if len(optimizer.param_groups) != 1:
        raise ValueError(f"optimizer: got {len(optimizer.param_groups)} groups; required a single one")
    group = optimizer.param_groups[0]
    own = list(network.parameters())
    held: list[Tensor] = group["params"]
    if [id(value) for value in held] != [id(value) for value in own]:
        raise ValueError(
            f"optimizer: got {len(held)} parameters; required the {len(own)} of the network, in order"
        )
    if not all(value.requires_grad for value in own):
        raise ValueError("network: got parameters without gradients; required that all of them are trained")
    for option in ("nesterov", "dampening", "amsgrad", "maximize"):
        if group.get(option):
            raise ValueError(f"optimizer: got {option}={group[option]}; required {option} to be off")
    return _descent(group) if isinstance(optimizer, torch.optim.SGD) else _adam(optimizer, group)


def _descent(group: dict[str, Any]) -> Rule:
    momentum, decay = float(group["momentum"]), float(group["weight_decay"])
    name = "heavy ball" if momentum else "gradient descent"
    return Rule(name, momentum=momentum, penalty=decay)


def _adam(optimizer: torch.optim.Optimizer, group: dict[str, Any]) -> Rule:
    beta, decay = float(group["betas"][0]), float(group["weight_decay"])
    beside = isinstance(optimizer, torch.optim.AdamW) or bool(group.get("decoupled_weight_decay"))
    kinds = (0.0, decay) if beside else (decay, 0.0)
    name = "AdamW" if beside else "Adam"
    return Rule(name, momentum=beta, gain=1 - beta, penalty=kinds[0], shrinkage=kinds[1], adaptive=True)


def scale_of(optimizer: torch.optim.Optimizer) -> Tensor:
    r"""Return the diagonal of $D_s$ after a step of Adam, with both bias corrections.

    $$ D_s = \frac{1}{1 - \beta_1^{s+1}}\,
       {\rm diag}\Big(\sqrt{v_{s+1}/(1 - \beta_2^{s+1})} + \delta\Big)^{-1}. $$
    """
    group = optimizer.param_groups[0]
    states = [optimizer.state[value] for value in group["params"]]
    taken = float(states[0]["step"])
    first, second = (1 - float(beta) ** taken for beta in group["betas"])
    squares = torch.cat([state["exp_avg_sq"].detach().flatten() for state in states])
    scale: Tensor = 1 / (first * ((squares / second).sqrt() + float(group["eps"])))
    return scale
