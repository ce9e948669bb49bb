"""The study of the space of weights, where the answer is known: bowls, circles, linear classifiers."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.models.perceptrons import Activation, perceptron
from neighborhoods.studies import recorded
from neighborhoods.studies import weight_space as study
from neighborhoods.studies.rivals import nearest_classes
from neighborhoods.studies.weight_space import (
    directions,
    estimates,
    gradients,
    lines,
    paths,
    population,
    weights,
)
from scipy import stats
from tolerances import COVERAGE_LEVEL
from torch import Tensor

RUN = recorded.RecordedSpec(
    "784-6-10", examples=60, steps=8, rate=0.2, activation="tanh", dtype=torch.float32
)
PATH = paths.PathSpec(RUN, 4)
Values = dict[str, Tensor]


@pytest.fixture(scope="module")
def path() -> Values:
    return paths.follow(PATH)


@pytest.fixture(scope="module")
def other() -> Values:
    generator = torch.Generator().manual_seed(5)
    states = torch.randn(2, 4780, generator=generator)
    return {"states": states}


def test_a_half_circle_is_half_a_circle_beside_its_chord() -> None:
    angle = torch.linspace(0, math.pi, 1001, dtype=torch.float64)
    found = paths.shape(3 * torch.stack([-angle.cos(), angle.sin(), torch.full_like(angle, 5.0)], 1))
    torch.testing.assert_close(found.along, (1 - angle.cos()) / 2)
    torch.testing.assert_close(found.off, angle.sin() / 2)
    torch.testing.assert_close(found.length, angle / 2, rtol=1e-6, atol=1e-9)


def test_a_straight_path_is_its_chord_and_a_closed_one_has_none() -> None:
    line = torch.tensor([0.0, 1.0, 4.0, 8.0])[:, None] * torch.tensor([[3.0, -4.0]])
    found = paths.shape(line)
    assert found.along.tolist() == pytest.approx([0, 1 / 8, 1 / 2, 1])
    assert found.off.tolist() == pytest.approx([0] * 4)
    assert found.length[-1] == pytest.approx(1)
    with pytest.raises(ValueError, match="end where they began"):
        paths.shape(line[[0, 1, 0]])


def test_kept_states_are_those_of_the_run(path: Values) -> None:
    states = recorded.run(RUN)["states"]
    assert path["steps"].tolist() == [0, 2, 4, 6, 8]
    assert torch.equal(path["states"], states[::2])
    assert len(path["along"]) == 9


def test_the_gradient_is_that_of_the_mean_loss(path: Values, generator: torch.Generator) -> None:
    run = recorded.RecordedSpec("784-6-10", examples=60, steps=8, activation="tanh")
    own, at = weights.subject(run, 30), path["states"][1].double()
    slope, direction = weights.gradient(own, at), torch.randn(len(at), generator=generator).double()

    def loss(position: Tensor) -> float:
        network = weights.at(own, position)
        return own.loss(network(own.seen.points), own.seen.targets).mean().item()

    ends = loss(at + 1e-5 * direction) - loss(at - 1e-5 * direction)
    assert float(slope @ direction) == pytest.approx(ends / 2e-5, rel=1e-6)


def test_gradients_of_a_round_bowl_point_to_its_bottom(path: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    bottom, chord = path["states"][-1], path["states"][-1] - path["states"][0]
    monkeypatch.setattr(gradients, "gradient", lambda _, at: at - bottom)
    spec = gradients.PointingSpec(PATH, 2, 3, (0.0, 1.0, 1e3), 0)
    table = gradients.pointing(spec, path)
    assert len(table) == 2 * 3 * 3
    assert table["step"].unique().tolist() == [0, 4]
    assert table["end"].tolist() == pytest.approx([1.0] * len(table), abs=1e-5)
    far = table[table["distance"] == 1e3]
    assert far["back"].tolist() == pytest.approx([1.0] * len(far), abs=1e-5)
    near = table[table["distance"] == 0].groupby("step")["training"].first()
    at = path["states"][2]
    cosine = float((bottom - at) @ chord / (bottom - at).norm() / chord.norm())
    assert near.tolist() == pytest.approx([1.0, cosine], abs=1e-5)
    # At right angles to a random direction, up to four deviations of 1/√p, the bottom is seen under 45°.
    beside = table[(table["distance"] == 1) & (table["step"] == 0)]
    assert beside["training"].tolist() == pytest.approx([math.sqrt(0.5)] * 3, abs=4 / math.sqrt(4780))


def test_the_gradient_of_a_bowl_changes_by_the_size_of_the_step(
    path: Values, monkeypatch: pytest.MonkeyPatch
) -> None:
    bottom = path["states"][-1].double()

    def bowl(own: weights.Subject, at: Tensor) -> Tensor:
        weights.at(own, at)
        return at - bottom

    monkeypatch.setattr(gradients, "gradient", bowl)
    table = gradients.smooth(gradients.SmoothSpec(PATH, 2, (1e-6, 1e-2, 1e5)), path)
    assert table["change"].tolist() == pytest.approx(table["size"].tolist())
    assert (table["flips"][table["size"] == 1e-6] == 0).all()
    assert (table["flips"][table["size"] == 1e5] > 30).all()


@pytest.mark.parametrize(("activation", "jump"), [("relu", 1.0), ("tanh", 0.0)])
def test_a_gradient_jumps_where_a_rectified_unit_switches(activation: Activation, jump: float) -> None:
    network = perceptron("1-1-2", activation=activation).double()
    sample = recorded.Sample(torch.ones(1, 1, dtype=torch.float64), torch.tensor([0]))
    own = weights.Subject(network, sample, sample, lambda outputs, _: outputs[:, 0])
    # The output is the unit: its weight, with a bias of zero, is the unit's input.
    below, above = (torch.tensor([w, 0.0, 1.0, 0.0, 0.0, 0.0]).double() for w in (-1e-9, 1e-9))
    change = weights.gradient(own, above) - weights.gradient(own, below)
    assert change[:2].tolist() == pytest.approx([jump, jump], abs=1e-8)


def test_angles_of_random_directions_follow_the_law() -> None:
    assert directions.cosine_quantile(3, 0.25) == pytest.approx(-0.5)
    assert directions.cosine_quantile(2, 0.25) == pytest.approx(math.cos(math.pi * 0.75))
    generator = torch.Generator().manual_seed(0)
    for dimension in (2, 7, 200):
        pairs = torch.randn(2, 2000, dimension, generator=generator, dtype=torch.float64)
        cosine = directions.angles(*pairs).cos().numpy()
        half = (dimension - 1) / 2
        assert stats.kstest((1 + cosine) / 2, stats.beta(half, half).cdf).pvalue > COVERAGE_LEVEL
        assert 2 * stats.beta(half, half).std() == pytest.approx(1 / math.sqrt(dimension))


def test_arcs_over_chords_narrow_with_the_dimension() -> None:
    table = directions.random_pairs(directions.PairsSpec(256, 400, 0))
    assert table["dimension"].tolist() == [2**power for power in range(1, 9)]
    width = table["exact_high"] - table["exact_low"]
    assert (width.diff()[1:] < 0).all()
    assert table["exact_median"].tolist() == pytest.approx([math.pi / 2 / math.sqrt(2)] * 8)
    assert table["median"].iloc[-1] == pytest.approx(1.1107, abs=0.01)
    for end in ("low", "high"):
        assert (table[end] - table[f"exact_{end}"]).abs().iloc[4:].max() < 0.02


def test_a_half_circle_is_as_deep_as_half_its_chord() -> None:
    assert directions.arc_over_chord(math.pi) == pytest.approx(math.pi / 2)
    assert directions.depth(math.pi) == pytest.approx(0.5)
    assert directions.depth(math.pi / 2) == pytest.approx((1 - math.sqrt(0.5)) / math.sqrt(2))


def test_an_arc_keeps_its_radius_and_its_middle_is_that_of_the_chord() -> None:
    start, end = torch.tensor([2.0, 0.0]), torch.tensor([1.0, math.sqrt(3)])
    points = directions.arc(start, end, torch.tensor([0.25, 0.5])[:, None])
    torch.testing.assert_close(points.norm(dim=1), torch.full((2,), 2.0))
    assert points[0, 1].item() == pytest.approx(2 * math.sin(math.pi / 12))
    torch.testing.assert_close(points[1], torch.lerp(start, end, 0.5) / math.cos(math.pi / 6))


def test_images_are_paired_with_others_of_another_class(path: Values) -> None:
    first, second = directions._unlike(torch.tensor([1, 1, 2, 3, 4, 4, 5, 6]), 2)
    assert (first.tolist(), second.tolist()) == ([2, 6], [3, 7])
    table = directions.image_pairs(directions.ImagesSpec(PATH, 6, 5), path)
    assert len(table) == 6
    assert table["angle"].between(20, 90).all()
    assert (table["centred"] > table["angle"]).all()
    ratio = np.radians(table["angle"]) / 2 / np.sin(np.radians(table["angle"]) / 2)
    assert table["ratio"].tolist() == pytest.approx(ratio.tolist())
    assert table["agree"].between(0, 1).all()


def test_least_distortion_of_a_linear_classifier_is_the_distance_to_its_nearest_boundary() -> None:
    normals = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 2.0], [-1.0, -1.0]]).double()
    # Distances of the first class from (0.5, 0.5): 0.15, 0.1 and 0.2.
    offset = torch.tensor([0.0, -0.45 - 1.5, -0.2 - 1.0, 1.0 - 0.2 * math.sqrt(2)]).double()
    padding = torch.full((6,), -50.0).double()

    def classifier(x: Tensor) -> Tensor:
        return torch.cat([x @ normals.T + offset, padding.expand(len(x), 6) + 1e-9 * x[:, :1]], 1)

    point, label = torch.full((1, 2), 0.5).double(), torch.tensor([0])
    assert nearest_classes(classifier, point, label, 3).tolist() == [[2, 1, 3]]
    found = lines.least(classifier, point, label, 2)
    assert found.item() == pytest.approx(0.1 / math.sqrt(2), rel=1e-3)


def test_the_line_is_measured_at_its_positions_and_beside_the_path(path: Values) -> None:
    spec = lines.LineSpec(PATH, (0.5, 1.0), 4, 40, 0.7, 160, 0)
    accuracies = lines.accuracies(spec, path)
    assert accuracies["kind"].tolist() == ["line"] * 2 + ["path"] * 5
    end = accuracies[accuracies["t"] == 1]["accuracy"]
    assert end.iloc[0] == end.iloc[1]
    table = lines.robust(spec, path)
    assert table[["kind", "t"]].drop_duplicates().to_numpy().tolist() == [
        ["line", 0.5],
        ["path", 0.5],
        ["line", 1.0],
    ]
    assert (table.groupby(["kind", "t"])["image"].count() == 4).all()
    trained = table[table["t"] == 1]
    assert trained["right"].all()
    assert trained["accuracy"].iloc[0] == end.iloc[0]
    assert (table.loc[~table["right"], ["distortion", "sigma"]] == 0).all(axis=None)
    assert (table.loc[table["right"], ["distortion", "sigma"]] > 0).all(axis=None)


def test_parameters_lie_where_they_were_put(path: Values, other: Values) -> None:
    spec = population.PopulationSpec(PATH, 3, 2, 40, 0)
    table = population.scattered(spec, path, other)
    assert table["kind"].value_counts().to_dict() == {"noise": 6, "other run": 6, "trained": 1}
    noise = table[table["kind"] == "noise"]
    assert noise["angle"].tolist() == pytest.approx([0, 45, 90] * 2, abs=0.1)
    assert noise["radius"].tolist() == pytest.approx([0.25] * 3 + [1.75] * 3, rel=1e-4)
    product = noise["radius"] * np.cos(np.radians(noise["angle"]))
    assert noise["product"].tolist() == pytest.approx(product.tolist(), abs=1e-4)
    distance = np.sqrt(1 + noise["radius"] ** 2 - 2 * product)
    assert noise["nearness"].tolist() == pytest.approx((-distance).tolist(), abs=1e-4)
    with pytest.raises(ValueError, match="runs: got 1"):
        population.scattered(spec, path)


def rows(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns).assign(activation="tanh")


def test_means_weigh_runs_alike_and_halves_are_found() -> None:
    table = rows(run=[0, 0, 0, 1], distance=[0.0] * 4, end=[1.0, 2.0, 3.0, 4.0])
    found = estimates.across(table, ["distance"], "end").iloc[0]
    reach = stats.t.ppf(0.975, 1) * 1.0
    assert (found["mean"], found["high"]) == (pytest.approx(3.0), pytest.approx(3 + reach))
    fall = rows(run=0, distance=[0.0, 1.0, 100.0, 1e4], end=[0.8, 0.8, 0.0, 0.0])
    assert estimates.halfway(fall, "end")["distance"].item() == pytest.approx(10.0)
    assert estimates.halfway(fall.assign(end=0.8), "end")["distance"].item() == math.inf


def test_orders_are_exponents() -> None:
    size = np.tile(np.geomspace(1e-3, 1, 4), 2)
    flips = [0, 0, 100, 200] * 2
    level = np.repeat([1.0, 50.0], 4)
    change = level * np.where(np.array(flips) > 0, size**0.5, size)
    found = estimates.orders(rows(run=0, step=np.repeat([0, 9], 4), size=size, flips=flips, change=change))
    assert found.set_index("regime")["order"].to_dict() == pytest.approx({"none": 1.0, "many": 0.5})
    single = rows(run=0, step=[0], size=[1.0], flips=[0], change=[1.0])
    assert estimates.orders(single)["order"].isna().all()


def test_contrasts_pair_images_that_both_get_right() -> None:
    table = rows(
        run=0,
        kind=["line"] * 6 + ["path"] * 3,
        t=[1.0] * 3 + [0.5] * 6,
        image=[0, 1, 2] * 3,
        right=[True] * 5 + [False] + [True] * 3,
        distortion=[1.0, 2.0, 3.0, 0.5, 1.0, 0.0, 1.0, 2.0, 9.0],
    )
    found = estimates.contrasts(table, "distortion").set_index("contrast")["mean"].to_dict()
    expected = {"line": -1.0, "path": np.log2([1, 1, 3]).mean(), "path over line": 1.0}
    assert found == pytest.approx(expected)


def test_the_measure_that_is_accuracy_ranks_it_best() -> None:
    numbers = np.arange(6.0)
    table = rows(
        run=0,
        kind=["noise", "other run"] * 3,
        accuracy=numbers,
        product=numbers,
        nearness=-numbers,
        cosine=1 - numbers**2,
    )
    found = estimates.ranked(table)
    assert found["population"].tolist() == ["noise", "other run", "all"]
    assert found["product"].tolist() == pytest.approx([1.0] * 3)
    assert found["cosine"].tolist() == found["nearness"].tolist() == pytest.approx([-1.0] * 3)
    assert found["gain"].tolist() == pytest.approx([2.0] * 3)
    rounding = 1e-6 * np.array([3.0, 0.0, 1.0, 5.0, 2.0, 4.0])
    again = estimates.ranked(table.assign(cosine=1.0 + (numbers > 2) + rounding))
    ties = stats.spearmanr(numbers > 2, numbers).statistic
    assert again["cosine"].iloc[2] == pytest.approx(ties)


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_each_run_is_measured_from_its_own_item(profile: str) -> None:
    spec = profiles.weight_space(profile)
    runs = [item.digest for item in study.followed(spec, "relu")]
    assert len(set(runs)) == spec.runs >= 2
    for plan in (study.pointing, study.smooth, study.measured, study.attacked):
        assert [item.parents[0].digest for item in plan(spec, "relu")] == runs
    for item, own in zip(study.scattered(spec, "relu"), runs, strict=True):
        assert item.parents[0].digest == own
        assert sorted(parent.digest for parent in item.parents) == sorted(runs)
    assert {item.digest for item in study.followed(spec, "relu", spec.batch)}.isdisjoint(runs)


def test_gradients_point_to_the_end_on_the_path_and_not_far_from_it(path: Values) -> None:
    table = gradients.pointing(gradients.PointingSpec(PATH, 3, 2, (0.0, 1e4), 0), path)
    means = table.groupby("distance")["end"].mean()
    assert means.iloc[0] > 0.5 > 5 * means.iloc[1]


def test_tables_are_gathered_with_their_activation_and_run() -> None:
    class Results:
        get = staticmethod(lambda item: pd.DataFrame({"value": [item]}))

    found = study.gathered(Results(), lambda spec, activation: [spec + activation, "b"], "a")
    assert found["value"].tolist() == ["atanh", "b", "arelu", "b"]
    assert found["activation"].tolist() == ["tanh", "tanh", "relu", "relu"]
    assert found["run"].tolist() == [0, 1, 0, 1]


def test_wrong_numbers_are_named() -> None:
    with pytest.raises(ValueError, match=r"gamma is 1.0; it must lie in \(0, 1\)"):
        profiles.weight_space("quick", gamma=1.0)
