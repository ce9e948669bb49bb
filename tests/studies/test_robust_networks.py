"""Networks at random, under dropout and with defences, on cases whose answers are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.models import defences
from neighborhoods.models.datasets import Images, mnist
from neighborhoods.models.defences import DefenceSpec
from neighborhoods.models.networks import load
from neighborhoods.studies import robust_networks as study
from neighborhoods.studies.robust_networks import defended, dropout, orders, random_networks
from scipy import integrate, stats
from tolerances import ERRORS
from torch import Tensor, nn

SMALL = DefenceSpec("FC30-10", "none", 0.0, images=1000, epochs=4, batch=50, rate=5e-3)


def trained(kind: defences.Defence, strength: float) -> dict[str, Tensor]:
    return defences.train(replace(SMALL, defence=kind, strength=strength))


@pytest.fixture(scope="module")
def plain() -> dict[str, Tensor]:
    return trained("none", 0.0)


def linear(weight: Tensor, bias: Tensor) -> nn.Sequential:
    layer = nn.Linear(weight.shape[1], len(weight))
    layer.weight.data, layer.bias.data = weight, bias
    return nn.Sequential(nn.Flatten(), layer).eval().requires_grad_(False)


@pytest.mark.parametrize(("depth", "width"), [(1, 3), (2, 4), (3, 20)])
def test_excess_kurtosis_of_random_networks(depth: int, width: int) -> None:
    """Our proposition on the excess kurtosis at every width, within four standard errors."""
    generator = torch.Generator().manual_seed(depth)
    image = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    last = random_networks.hidden(image, depth, width, 20_000, generator)
    weights = torch.randn(last.shape, generator=generator, dtype=torch.float64)
    outputs = ((last * weights).sum(1) / width**0.5).numpy().reshape(40, -1)
    fourth, second = (outputs**4).mean(1), (outputs**2).mean(1)
    excess = fourth - (3 + random_networks.expected(depth, width)) * second.mean() ** 2
    assert abs(excess.mean()) < ERRORS * stats.sem(excess)
    variances = (last.square().mean(1)).numpy().reshape(40, -1)
    found = 3 * (variances**2).mean(1) - (3 + random_networks.expected(depth, width)) * variances.mean() ** 2
    assert abs(found.mean()) < ERRORS * stats.sem(found)


def test_drawn_variances_have_mean_one_and_the_slope_is_that_of_the_formula() -> None:
    spec = random_networks.RandomSpec((4, 16), (1, 2), 400, 0)
    table = random_networks.drawn(spec)
    assert table.groupby(["depth", "width"]).size().tolist() == [400] * 4
    for _, some in table.groupby(["depth", "width"]):
        assert abs(some["variance"].mean() - 1) < ERRORS * some["variance"].sem()
        assert abs((some["output"] ** 2).mean() - 1) < ERRORS * (some["output"] ** 2).sem()
    found = random_networks.slopes(table, 0).set_index("depth")
    assert found.loc[1, "expected"] == pytest.approx(-1)
    spread = (found["high"] - found["low"]) / 4
    assert ((found["value"] - found["expected"]).abs() < ERRORS * spread).all()
    assert (random_networks.kurtosis(table, 0)["low"] > 0).all()


def test_density_of_changes_under_redrawn_masks() -> None:
    """Our proposition on places of change: deviation and kurtosis of the density F(1 - F), by quadrature."""
    parts = [
        integrate.quad(lambda z, k=k: z**k * stats.norm.cdf(z) * stats.norm.sf(z), -9, 9)[0]
        for k in (0, 2, 4)
    ]
    assert parts[1] / parts[0] == pytest.approx(dropout.NARROWER**2)
    assert parts[2] * parts[0] / parts[1] ** 2 - 3 == pytest.approx(12 / 125)


def walked(fixed: Tensor, redrawn: Tensor, location: Tensor) -> dict[str, Tensor]:
    ends = {"from": torch.tensor([0]), "to": torch.tensor([1])}
    none = fixed[:, 0]
    return {**ends, "none": none, "fixed": fixed, "redrawn": redrawn, "location": location}


def test_walks_that_cross_once_give_the_law_of_their_crossings() -> None:
    generator = torch.Generator().manual_seed(0)
    location = 0.5 + 0.1 * torch.randn(1, 4000, generator=generator, dtype=torch.float64)
    again = 0.5 + 0.1 * torch.randn(1, 4000, 81, generator=generator, dtype=torch.float64)
    places = torch.linspace(0, 1, 81, dtype=torch.float64)
    fixed, redrawn = (places > location[..., None]).to(torch.int8), (places > again).to(torch.int8)
    found = walked(fixed, redrawn, location)
    row = dropout.shapes(found).iloc[0]
    assert (row["count"], row["once"]) == (4000, 1)
    assert row["mean"] == pytest.approx(0.5, abs=ERRORS * 0.1 / 4000**0.5)
    assert row["ratio"] == pytest.approx(dropout.NARROWER, rel=0.05)
    total = dropout.total(dropout.changes(found), 0)
    assert total["value"] == pytest.approx(1, abs=0.02)
    assert dropout.visited(found)["others"].tolist() == [0, 0, 0]
    shape = dropout.summary(dropout.shapes(found)).set_index("quantity")
    assert shape.loc["single ratio", "value"] == pytest.approx(row["ratio"])


def test_trends_are_rank_correlations_with_the_width() -> None:
    rows = [(pair, width, (-1) ** pair / width, -width, width) for pair in (0, 1, 2) for width in (10, 30)]
    table = pd.DataFrame(rows, columns=["pair", "width", "skewness", "kurtosis", "p"])
    found = dropout.trends(table, 0).set_index("quantity")
    assert found["value"].to_dict() == {"skewness": pytest.approx(-1), "kurtosis": -1, "p": 1}


def test_changes_count_what_the_shares_predict() -> None:
    fixed = torch.tensor([[[0, 0, 1], [0, 2, 1]]])
    table = dropout.changes(walked(fixed, torch.tensor([[[0, 1, 1], [0, 0, 1]]]), torch.zeros(1, 2)))
    assert table["expected"].tolist() == [1.0, 2.0]  # shares (1, 0, 0), (1/2, 0, 1/2), (0, 1, 0); two walks
    assert table["counted"].tolist() == [1, 1]
    assert table["place"].tolist() == [0.25, 0.75]
    others = dropout.visited(walked(fixed, fixed[:, :1], torch.zeros(1, 2))).set_index("kind")["others"]
    assert others.to_dict() == {"none": 0, "fixed": 0.5, "redrawn": 0}


def test_the_first_exit_of_each_mask_is_where_its_network_changes_class() -> None:
    """One hidden layer of two units: class 0 while unit 0 leads; without one of them there is no crossing."""
    rest = nn.Sequential(nn.ReLU(), nn.Linear(2, 2, bias=False)).requires_grad_(False)
    rest[1].weight.data = torch.eye(2)
    ends, places = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.linspace(0, 1, 6)
    masks = [torch.tensor([[[1.0, 1.0]], [[3.0, 1.0]], [[1.0, 0.0]], [[0.0, 1.0]]])]
    along = torch.lerp(ends[0], ends[1], places[:, None])
    left = defences.masked(rest, along, masks).argmax(2) != 0
    found = dropout.first_exits(dropout.Segment(rest, ends, places, 0), left, masks)
    torch.testing.assert_close(found[:2], torch.tensor([0.25, 0.5]), rtol=0, atol=1e-5)
    assert bool(found[2].isnan())  # class 0 everywhere
    assert found[3].item() == pytest.approx(0, abs=1e-5)  # equal logits at the start alone


def test_walks_start_from_images_that_the_network_gets_right(plain: dict[str, Tensor]) -> None:
    training = replace(SMALL, defence="dropout", strength=0.5)
    spec = dropout.WalkSpec(training, pairs=3, masks=5, places=4, seed=0)
    found = dropout.walks(spec, plain)
    assert found["fixed"].shape == found["redrawn"].shape == (3, 5, 4)
    assert torch.equal(found["none"][:, 0].long(), found["from"])
    assert torch.equal(found["none"][:, -1].long(), found["to"])
    assert bool((found["from"] != found["to"]).all())
    network = load(SMALL.network, plain)
    assert torch.equal(network(mnist("test").points[found["target"]]).argmax(1), found["to"])


def test_distance_of_a_linear_network_is_that_of_its_nearest_half_space() -> None:
    weight = torch.zeros(10, 784)
    weight[0, :4], weight[1, :4], weight[2, 4:8] = 1.0, -1.0, 1.0
    bias = torch.tensor([0.0, 1.0, -5.0] + [-9.0] * 7)
    images = Images(torch.full((1, 1, 28, 28), 0.5), torch.tensor([0]))
    found = defended.nearest_adversaries(linear(weight, bias), images, 3)
    # Logits 2, -1, -3: the difference to class 1 is 3 with a gradient of length 4.
    assert found["distance"].item() == pytest.approx(3 / 4, rel=1e-3)
    assert bool(found["success"])
    assert found["incidence"].item() == pytest.approx(0, abs=0.1)


def test_a_network_without_a_gradient_is_a_failure_that_stays() -> None:
    blind = linear(torch.zeros(10, 784), torch.tensor([1.0] + [0.0] * 9))
    images = Images(torch.full((2, 1, 28, 28), 0.5), torch.tensor([0, 0]))
    found = defended.nearest_adversaries(blind, images, 3)
    assert not bool(found["success"].any())
    assert bool(found["incidence"].isnan().all())


def test_networks_that_agree_on_nothing_are_refused() -> None:
    blind = [linear(torch.zeros(10, 784), torch.eye(10)[label]) for label in (0, 1)]
    with pytest.raises(ValueError, match="networks: got 2"):
        defended.right_for_all(blind, 3)
    images, numbers = defended.right_for_all(blind[:1], 3)
    assert images.labels.tolist() == [0, 0, 0]
    assert torch.equal(mnist("test").labels[numbers], images.labels)


def table(distance: list[list[float]], persistence: list[list[float]]) -> pd.DataFrame:
    rows = [
        {"defence": "abc"[defence], "seed": 0, "image": image, "distance": d, "persistence": p}
        for defence, (ds, ps) in enumerate(zip(distance, persistence, strict=True))
        for image, (d, p) in enumerate(zip(ds, ps, strict=True))
    ]
    return pd.DataFrame(rows).assign(quotient=1.0, incidence=0.0, inside=0.5, success=True)


def test_orders_of_known_defences() -> None:
    same = table([[1, 2], [3, 4], [5, 6]], [[1, 2], [2, 3], [9, 9.5]])
    assert orders.agreement(same, 0)["value"].tolist() == [1, 1]
    turned = table([[1, 2], [3, 4], [5, 6]], [[9, 9.5], [2, 3], [1, 2]])
    assert orders.agreement(turned, 0)["high"].tolist() == [-1, -1]
    gains = orders.gains(same.replace({"defence": {"a": "none"}}), 0).set_index("defence")["value"]
    assert gains.to_dict() == {"b": pytest.approx(7 / 3), "c": pytest.approx(11 / 3)}
    lead = orders.lead(same, "c", "distance", 0)
    assert lead.tolist() == [2, 2, 2]
    assert orders.within(turned)["value"].tolist() == [1, 1, 1]
    means = orders.averages(same, 0).set_index(["defence", "quantity"])
    assert means.loc[("b", "distance")].tolist() == [3.5, 3, 4]


def test_mean_accuracy_has_the_interval_of_student() -> None:
    counts = pd.DataFrame({"defence": ["a", "a"], "seed": [0, 1], "right": [8, 9], "count": [10, 10]})
    row = orders.accuracy(counts).iloc[0]
    reach = stats.t.ppf(0.975, 1) * 5
    assert row[["value", "low", "high"]].tolist() == pytest.approx([85, 85 - reach, 85 + reach])


def test_measurements_have_a_row_for_each_network_and_image(plain: dict[str, Tensor]) -> None:
    others = replace(SMALL, defence="penalty", strength=80.0)
    spec = defended.DefendedSpec((SMALL, others), 6, 3, 5, 0.7, 128, 0)
    found = defended.measured(spec, plain, trained("penalty", 80.0))
    assert found.groupby("defence").size().to_dict() == {"none": 6, "penalty": 6}
    assert bool(found["success"].all())
    assert found["inside"].between(0, 1).all()
    level = stats.norm.ppf(0.7)
    np.testing.assert_allclose(found["quotient"], found["persistence"] * level / found["distance"], rtol=1e-5)
    wide = found.groupby("defence")["distance"].mean()
    assert wide["penalty"] > wide["none"]


def test_the_plan_trains_every_defence_from_the_same_parameters() -> None:
    spec = profiles.robust_networks("smoke")
    plan = study.trainings(spec)
    assert len(plan) == len(study.strengths(spec)) * spec.seeds
    assert {one.seed for one in plan} == set(range(spec.seeds))
