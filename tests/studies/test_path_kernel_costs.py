"""The kept table of costs: what the book says of it, and how orders of growth are read."""

from itertools import product

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from neighborhoods.figures import path_kernel as draw
from neighborhoods.studies.path_kernel import costs


def table(power: float) -> pd.DataFrame:
    """Costs that grow as a power of each size."""
    rows = [
        (output, varied, value, 3 * value**power, value**power, value**2.0)
        for output, varied, value in product(("full", "attribution"), draw.VARIED, (1, 2, 4, 8))
    ]
    return pd.DataFrame(rows, columns=["output", "varied", "value", *costs.QUANTITIES])


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_orders_of_growth_are_powers(power: float) -> None:
    found = costs.growth(table(power))
    assert len(found) == 2 * len(draw.VARIED)
    assert found[["operations", "seconds"]].to_numpy() == pytest.approx(power)
    assert found["Jacobian products"].to_numpy() == pytest.approx(2)
    assert ((found["low"] <= found["seconds"]) & (found["seconds"] <= found["high"])).all()


def test_no_cost_grows_faster_than_a_size() -> None:
    found = costs.growth(costs.measured())
    alone = found[found["varied"] != "inputs and hidden"]
    assert (alone["operations"] < 1.01).all()
    assert (alone["low"] < 1).all()
    both = found[found["varied"] == "inputs and hidden"]
    assert (both["Jacobian products"] > 1.9).all()
    assert (both["operations"] < 1.7).all()


def test_costs_are_drawn_as_multiples() -> None:
    figure, axes = plt.subplots(1, 2)
    draw.costs(axes, table(1.0))
    assert [ax.get_title() for ax in axes] == ["full tensor", "attribution"]
    assert len(axes[0].lines) == 2 * len(draw.VARIED) + 2
    assert axes[0].lines[1].get_ydata().tolist() == [1, 2, 4, 8]
    assert axes[0].lines[-2].get_ydata().tolist() == [1, 4, 16, 64]
    plt.close(figure)
