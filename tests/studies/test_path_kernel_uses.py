"""The parts of the studies of path kernels that are not kernels, on cases whose answers are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.models.datasets import mnist
from neighborhoods.models.training import TrainingSpec, train
from neighborhoods.profiles import PathKernelUsesSpec
from neighborhoods.studies import intervals, recorded
from neighborhoods.studies import path_kernel_uses as study
from neighborhoods.studies.path_kernel_uses import (
    approximations,
    carriers,
    grams,
    hull,
    interpolation,
    leave_out,
    neighbours,
    queries,
    stationarity,
    uncertainty,
)
from neighborhoods.studies.path_kernel_uses.machine import machine
from scipy import stats
from tolerances import COVERAGE_LEVEL
from torch import Tensor

RUN = recorded.RecordedSpec("784-6-10", examples=60, steps=8, rate=0.2)
ASKED = queries.QueriesSpec(RUN, naturals=20, sources=6, epsilon=0.3, alpha=0.1, steps=5, seed=0)
Values = dict[str, Tensor]


@pytest.fixture(scope="module")
def values() -> Values:
    return recorded.run(RUN)


@pytest.fixture(scope="module")
def asked(values: Values) -> Values:
    return queries.make(ASKED, values)


@pytest.fixture(scope="module")
def kernel(values: Values, asked: Values) -> Values:
    return grams.grams(grams.GramsSpec(RUN, stride=4, nodes=2), values, asked)


def test_the_machine_is_the_network_that_training_ended_with(values: Values) -> None:
    found = machine(RUN, values)
    flat = torch.cat([value.flatten() for value in found.network.parameters()])
    assert torch.equal(flat, found.trajectory.states[-1])
    assert len(found.points) == RUN.examples


def test_queries_are_what_their_kind_says(asked: Values, values: Values) -> None:
    data = mnist("test", 50).points.double()
    parts = dict(zip(queries.KINDS, asked["points"].split([20, 6, 6, 6, 6, 6]), strict=True))
    sources = dict(zip(queries.KINDS, data.split([20, 6, 6, 6, 6, 6]), strict=True))
    assert torch.equal(parts["natural"], sources["natural"].flatten(1))
    assert torch.equal(parts["inverted"], 1 - sources["inverted"].flatten(1))
    assert torch.equal(parts["rotated"][0].view(28, 28), sources["rotated"][0, 0].rot90())
    for kind in ("adversarial", "confident"):
        assert (parts[kind] - sources[kind].flatten(1)).abs().max() <= ASKED.epsilon + 1e-12
    network = machine(RUN, values).network
    fooled = network(asked["points"]).argmax(1) != asked["label"]
    attacked = (asked["kind"] == 1) | (asked["kind"] == 2)
    assert bool(fooled[attacked & asked["success"]].all())
    assert bool(asked["success"][~attacked].all())


def test_nearness_is_that_of_the_feature_space() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(n, 5, generator=generator, dtype=torch.float64) for n in (4, 7))
    cross, own, gram = one @ other.T, one.square().sum(1), other @ other.T
    near = neighbours.nearness(one, other, cross, own, gram)
    torch.testing.assert_close(near["kernel distance"], -torch.cdist(one, other).square())
    torch.testing.assert_close(near["kernel cosine"], near["pixel cosine"])
    assert set(near) == set(neighbours.MEASURES)


def test_neighbours_are_counted_by_class(values: Values, asked: Values, kernel: Values) -> None:
    table = neighbours.neighbours(neighbours.NeighboursSpec(RUN), values, asked, kernel)
    assert len(table) == 20 * len(neighbours.MEASURES)
    pixel = table[table["measure"] == "pixel distance"]
    assert pixel["order"].tolist() == pytest.approx([1.0] * 20)
    agreement = neighbours.agreement(table).set_index(["measure", "target"])
    expected = (pixel["label"] == pixel["neighbour_label"]).mean()
    assert agreement.loc[("pixel distance", "label"), "share"] == pytest.approx(expected)


def test_contest_looks_at_what_only_one_gets_right() -> None:
    rows = [
        (i, 1, measure, int(hit))
        for i, hits in enumerate([(1, 0), (1, 0), (0, 1), (1, 1), (0, 0)])
        for measure, hit in zip("ab", hits, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["image", "label", "measure", "neighbour_label"])
    found = neighbours.contest(table, "a", "b", "label")
    assert (found["share"], found["count"]) == (pytest.approx(2 / 3), 3)


def test_scores_rank_an_image_of_the_training_set_as_familiar(values: Values, asked: Values) -> None:
    found = machine(RUN, values)
    own = {name: value[:8].clone() for name, value in asked.items()}
    own["points"][:4] = found.points[:4]
    spec = grams.GramsSpec(RUN, stride=4, nodes=2)
    table = uncertainty.scores(
        uncertainty.UncertaintySpec(RUN, 0.01), values, own, grams.grams(spec, values, own)
    )
    assert (table["pixel"][:4] < 1e-6).all()
    assert table["variance"][:4].max() < table["variance"][4:].min()
    assert (table["variance"] >= 0).all()
    assert (table["relative"] <= 1).all()


def test_failed_attacks_stay_in_the_table_and_out_of_the_comparison() -> None:
    rows = [
        ("natural", True, 0.0),
        ("natural", True, 1.0),
        ("adversarial", True, 2.0),
        ("adversarial", False, -5.0),
    ]
    rows += [(kind, True, 0.5) for kind in queries.KINDS[2:]]
    table = pd.DataFrame(rows, columns=["kind", "success", "score"])
    found = uncertainty.separations(table.assign(**dict.fromkeys(uncertainty.SCORES, table["score"])))
    adversarial = found[found["kind"] == "adversarial"]
    assert adversarial["area"].tolist() == [1.0] * len(uncertainty.SCORES)
    assert adversarial["count"].tolist() == [1] * len(uncertainty.SCORES)


def test_contributions_add_up_to_the_change_of_the_lead(values: Values, asked: Values) -> None:
    found = carriers.contributions(carriers.CarriersSpec(RUN, 3), values, asked)
    torch.testing.assert_close(found["lead"].sum(1), found["end"] - found["start"], rtol=1e-9, atol=1e-9)
    assert found["gap"] < 1e-12


def test_summary_of_known_contributions() -> None:
    carried = {
        "lead": torch.tensor([[3.0, 1.0, -2.0, 0.0]]),
        "row": torch.tensor([1]),
        "group": torch.tensor([1]),
        "predicted": torch.tensor([7]),
    }
    row = carriers.summary(
        carried, {"image": torch.tensor([5, 6]), "label": torch.tensor([0, 2])}, torch.tensor([7, 2, 7, 1])
    ).iloc[0]
    assert (row["group"], row["image"], row["label"], row["strongest"]) == ("wrong", 6, 2, 7)
    assert (row["own"], row["true"]) == (0.75, 0.25)
    assert row["effective"] == pytest.approx(36 / 14)
    assert row["kept"] == pytest.approx(2 / 6)


def test_leaving_out_matches_training_by_hand(values: Values, asked: Values) -> None:
    carried = carriers.contributions(carriers.CarriersSpec(RUN, 2), values, asked)
    spec = leave_out.LeaveOutSpec(RUN, groups=2, size=10, singles=2, watched=2, seed=0)
    table = leave_out.left_out(spec, values, asked, carried)
    assert sorted(table["size"].unique()) == [1, 10]
    found, rows = machine(RUN, values), leave_out._sets(spec)[0]
    network = recorded.network(RUN)
    kept = [i for i in range(RUN.examples) if i not in rows.tolist()]
    for _ in range(RUN.steps):
        losses = torch.nn.functional.cross_entropy(
            network(found.points[kept]), found.labels[kept], reduction="sum"
        )
        gradients = torch.autograd.grad(losses / RUN.examples, list(network.parameters()))
        with torch.no_grad():
            for value, gradient in zip(network.parameters(), gradients, strict=True):
                value.sub_(RUN.rate * gradient)
    outputs = network(asked["points"][carried["row"][:1]])[0].detach()
    lead = outputs[carried["predicted"][0]] - outputs.mean()
    assert table["actual"].iloc[0] == pytest.approx(float(lead - carried["end"][0]), abs=1e-9)
    assert table["attributed"].iloc[0] == pytest.approx(float(-carried["lead"][0, rows].sum()), abs=1e-12)


def test_sets_left_out_are_disjoint_while_there_are_enough() -> None:
    sets = leave_out._sets(leave_out.LeaveOutSpec(RUN, groups=6, size=10, singles=3, watched=1, seed=0))
    assert [len(rows) for rows in sets] == [10] * 6 + [1] * 3
    assert sorted(torch.cat(sets[:6]).tolist()) == list(range(60))


def test_correlations_of_changes_that_agree_or_are_reversed() -> None:
    rng = np.random.default_rng(0)
    rows = [(s, 5, p, "right", value := rng.normal(), 2 * value, -value) for s in range(9) for p in range(4)]
    columns = ["set", "size", "point", "group", "actual", "attributed", "pixel"]
    found = leave_out.correlations(pd.DataFrame(rows, columns=columns), seed=0).set_index(
        ["group", "predictor"]
    )
    assert found.loc[("all", "attributed"), "value"] == pytest.approx(1)
    assert found.loc[("right", "pixel"), "value"] == pytest.approx(-1)
    assert ("wrong", "pixel") not in found.index


def test_draws_of_one_set_only_are_left_out() -> None:
    rows = [(s, 5, p, "right", float(s), float(s * s), -s) for s in range(2) for p in range(3)]
    columns = ["set", "size", "point", "group", "actual", "attributed", "pixel"]
    found = leave_out.correlations(pd.DataFrame(rows, columns=columns), seed=0)
    assert found["value"].tolist() == pytest.approx([1, -1, 1, -1])
    assert found["low"].tolist() == found["high"].tolist() == pytest.approx([1, -1, 1, -1])


@pytest.mark.parametrize("shares", [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.3, 0.5, 0.2)])
def test_components_of_variance_are_recovered(shares: tuple[float, float, float]) -> None:
    """With 400 by 400 values the shares' standard errors are below a twentieth."""
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=shape) for shape in ((400, 1), (1, 400), (400, 400))]
    whole = sum(np.sqrt(share) * part for share, part in zip(shares, parts, strict=True))
    assert list(stationarity._components(whole).values()) == pytest.approx(shares, abs=0.1)


def test_a_function_of_the_difference_is_wholly_explained() -> None:
    rows = [(d, u, float(d**2)) for d in range(6) for u in range(5)]
    found = stationarity.explained(pd.DataFrame(rows, columns=["difference", "base", "kernel"]), seed=0)
    assert found.set_index("part").loc["difference", "value"] == pytest.approx(1)


def test_regressions_find_the_function_that_the_kernel_is(values: Values) -> None:
    points = machine(RUN, values).points
    spec = stationarity.PairsSpec(grams.GramsSpec(RUN, stride=4, nodes=2), blocks=4)
    distance = torch.cdist(points, points)
    found = stationarity.regressed(spec, values, {"gram": -distance}).groupby("predictor")["r2"].mean()
    assert found["|x − x′|"] > 0.9
    assert found["x · x′"] < 0.7
    squares = stationarity.regressed(spec, values, {"gram": -(distance**2)}).groupby("predictor")["r2"].mean()
    assert squares["quadratic in x − x′"] == pytest.approx(1)


def test_the_design_shifts_pairs(values: Values) -> None:
    kernel = grams.GramsSpec(RUN, stride=4, nodes=2)
    table = stationarity.shifted(stationarity.ShiftSpec(kernel, differences=4, bases=3, seed=0), values)
    assert len(table) == 12
    assert table.groupby("difference")["length"].nunique().tolist() == [1] * 4
    assert table.groupby("difference")["kernel"].nunique().tolist() == [3] * 4


def test_projections_answer_with_classes(values: Values, asked: Values, kernel: Values) -> None:
    own = {name: value.clone() for name, value in asked.items()}
    found = machine(RUN, values)
    own["points"][:3] = found.points[:3]
    table = hull.projected(hull.HullSpec(RUN, points=6, vertices=60), values, own, kernel)
    assert table["distance"][:3].max() < 1e-6
    assert table["voted"][:3].tolist() == table["nearest"][:3].tolist() == found.labels[:3].tolist()
    assert table["used"][:3].tolist() == [1, 1, 1]
    assert table["pixel"][:3].tolist() == [1.0, 1.0, 1.0]
    assert table["distance"][3:].min() > 0.1


def test_approximations_err_and_the_exact_routes_do_not(values: Values) -> None:
    table = approximations.compared(approximations.ApproximationsSpec(RUN, points=3, seed=0), values)
    rows = table.set_index(["method", "setting", "draw"])
    assert rows.loc[("exact", 1, 0)].tolist() == [1.0, 0.0, 0.0, 1.0]
    assert rows.loc[("dense, exact", 1, 0), "error"] < 1e-12
    steps = table[table["method"] == "fewer steps"]
    assert (steps["operations"] < 1).all()
    assert steps["error"].min() > 1e-6
    errors = table[table["method"] == "random projection"].groupby("setting")["error"].mean()
    assert stats.spearmanr(errors.index, errors).statistic == -1


def test_displacement_of_known_vectors() -> None:
    start = torch.tensor([2.0, 0.0, 0.0])
    longer = interpolation.displacement(start, 1.25 * start)
    assert (longer["cosine"], longer["radial"], longer["growth"]) == pytest.approx((1, 1, 0.25))
    turned = interpolation.displacement(start, torch.tensor([0.0, 2.0, 0.0]))
    assert (turned["cosine"], turned["radial"], turned["growth"]) == pytest.approx((0, 0.5, 0))


def test_the_slope_is_the_derivative_of_the_loss_along_the_line() -> None:
    training = TrainingSpec("C-1", images=200, epochs=1)
    trained = train(training)
    table = interpolation.interpolated(interpolation.InterpolationSpec(training, 41, 40), trained)
    assert table["t"].tolist() == pytest.approx(np.linspace(0, 1, 41))
    moved = interpolation.displaced(training, trained).set_index("layer")
    ends = table["norm"].iloc[-1]
    assert ends == pytest.approx((1 + moved.loc["all", "growth"]) ** 2, rel=1e-5)
    middle = -np.gradient(table["loss"], table["t"])[5:-5]
    scale = (table["slope"][5:-5] / middle).to_numpy()
    assert scale == pytest.approx(np.full(31, scale.mean()), rel=0.05)


@pytest.mark.parametrize("name", ["share", "median", "mean"])
def test_intervals_cover_what_they_estimate(name: str) -> None:
    """Fails with probability below COVERAGE_LEVEL if the coverage is 95 % at least."""
    rng, trials = np.random.default_rng(3), 400
    truth = {"share": 0.3, "median": 0.0, "mean": 0.0}[name]
    draws = [rng.random(50) < 0.3 if name == "share" else rng.normal(size=50) for _ in range(trials)]
    found = [getattr(intervals, name)(draw) for draw in draws]
    covered = sum(bool(one["low"] <= truth <= one["high"]) for one in found)
    assert stats.binom.cdf(covered, trials, 0.95) > COVERAGE_LEVEL


def test_rank_correlation_lies_in_its_interval() -> None:
    rng = np.random.default_rng(4)
    one = rng.normal(size=60)
    other = one + rng.normal(size=60)
    found = intervals.rank_correlation(one, other, seed=0)
    assert found["low"] < found["value"] < found["high"] < 1
    assert found["value"] == pytest.approx(stats.spearmanr(one, other).statistic)


RUNS = ["trained", "asked", "kernel", "nearest", "uncertain", "carried", "left_out", "shifted", "regressed"]


@pytest.mark.parametrize("name", [*RUNS, "projected", "compared", "interpolated"])
def test_plan_depends_on_its_numbers_and_nothing_else(name: str) -> None:
    item = getattr(study, name)
    spec = profiles.path_kernel_uses("smoke")
    assert item(spec).digest == item(profiles.path_kernel_uses("smoke")).digest
    assert item(spec).digest != item(profiles.path_kernel_uses("smoke", seed=1)).digest


def test_every_seed_is_displaced_from_its_own_start() -> None:
    spec = profiles.path_kernel_uses("smoke")
    assert len({item.digest for item in study.displaced(spec)}) == spec.cnn_seeds


def test_quick_is_larger_than_smoke_and_trains_the_network_of_the_draft() -> None:
    quick = profiles.path_kernel_uses("quick")
    assert quick.network == "784-128-10"
    assert replace(quick, seed=1) == PathKernelUsesSpec(seed=1)
