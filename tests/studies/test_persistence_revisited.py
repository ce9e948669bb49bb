"""Persistence looked at again, on classifiers whose distances, angles and stability curves are known."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.kernels.lines import on_lines
from neighborhoods.studies import persistence_revisited as study
from neighborhoods.studies.persistence_revisited import (
    curves,
    distances,
    ends,
    lines,
    orthants,
    summaries,
    ways,
)
from neighborhoods.studies.persistence_revisited.measure import MeasureSpec
from scipy import stats
from tolerances import COVERAGE_LEVEL, ERRORS
from torch import Tensor, nn

SIDE, CLASSES = 6, 10
MEASURE = MeasureSpec("any", 0.7, 1024, 0)
Z = float(stats.norm.ppf(MEASURE.gamma))
CLOSE = 0.05  # with Sobol noise of 1024 points the error of σ is about a hundredth, the worst of many three


def orthant(offsets: list[float], scale: float = 3.0) -> nn.Sequential:
    """Class 0 is the orthant of all x whose b-th pixel is below the b-th offset; its facets are ties."""
    layer = nn.Linear(SIDE * SIDE, CLASSES).requires_grad_(False)
    layer.weight.zero_()
    layer.bias.zero_()
    for b, offset in enumerate(offsets, start=1):
        layer.weight[b, b] = scale
        layer.bias[b] = -scale * offset
    return nn.Sequential(nn.Flatten(), layer)


def use(monkeypatch: pytest.MonkeyPatch, network: nn.Module) -> None:
    for module in (ends, distances, ways, lines, curves):
        monkeypatch.setattr(module, "load", lambda *_: network)


def images(count: int, generator: torch.Generator) -> Tensor:
    return 0.4 * torch.rand(count, 1, SIDE, SIDE, generator=generator)


def segments(start: Tensor, end: Tensor) -> dict[str, Tensor]:
    """What `ends.find` gives, with the same end for every kind."""
    found = {"image": start, "ties": torch.ones(len(start), 9)}
    return found | {kind: end for kind in ends.KINDS if kind != "back"} | {"back": start}


def test_ends_are_the_nearest_ones_inside_the_box(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    # The first two ties are the nearest, and lie where pixels would exceed 1.
    offsets = [1.05, 1.1, 0.9, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0]
    use(monkeypatch, orthant(offsets))
    start, partner = images(8, generator), torch.zeros(8, 1, SIDE, SIDE)
    start.flatten(1)[:, 1:4] = torch.tensor([0.9, 0.9, 0.2])
    partner.flatten(1)[:, 3] = torch.tensor([1.0] * 4 + [0.0] * 4)
    labels = torch.tensor([0] * 12 + [0] * 4)
    labels[8:12] = 3
    monkeypatch.setattr(ends, "sources", lambda *_: (torch.cat([start, partner]), labels, None))
    found = ends.find(ends.EndsSpec("any", 8, 1.0, 0.01, 100, 0), {})
    known = torch.tensor(offsets) - start.flatten(1)[:, 1:10]
    torch.testing.assert_close(found["ties"], known, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["length"].double(), torch.full((8,), 0.7).double(), rtol=1e-3, atol=0)
    middle = (found["least"] + start).flatten(1) / 2
    torch.testing.assert_close(middle[:, 3], torch.full((8,), 0.9), rtol=1e-3, atol=0)
    assert bool((found["igsm"].flatten(1)[:, 3] > 1.6).all())  # behind the same tie
    assert found["partner"].flatten(1).isfinite().all(1).tolist() == [True] * 4 + [False] * 4
    through = (found["free"] + start).flatten(1) / 2
    torch.testing.assert_close(through[:, 1], torch.full((8,), 1.05), rtol=1e-4, atol=0)
    # From behind the tie with class 3, the nearest tie is that one.
    back = (found["back"] + found["least"]).flatten(1) / 2
    score = orthant(offsets)(back.reshape(-1, 1, SIDE, SIDE))
    assert bool(((score[:, 3] - score[:, :3].amax(1)).abs() < 1e-3).all())


def test_nine_distances_predict_the_persistence_in_an_orthant(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    offsets = torch.tensor([0.6, 0.65, 0.7, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0])
    network = orthant(offsets.tolist())
    use(monkeypatch, network)
    start = images(20, generator)
    at = {"image": start, "length": torch.ones(20), "ties": ends.ties(network, start)[1]}
    table = distances.compare(MEASURE, {}, at)
    assert (table["predicted"] / table["sigma"] - 1).abs().max() < CLOSE
    assert table["free"].tolist() == pytest.approx(
        (offsets - start.flatten(1)[:, 1:10]).amin(1).tolist(), abs=1e-4
    )
    np.testing.assert_allclose(table["quotient"], table["sigma"] * Z / table["free"])
    levels = stats.norm.cdf(table["free"] / table["sigma"]) ** table["facets"]
    np.testing.assert_allclose(levels, MEASURE.gamma, rtol=1e-9)
    near = offsets - start.flatten(1)[:, 1:10]
    assert table["nearby"].tolist() == (near <= 1.5 * near.amin(1, keepdim=True)).sum(1).tolist()


def test_persistence_on_a_slanted_path_is_linear(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    """prop-slanted-path, in all of its three forms."""
    use(monkeypatch, orthant([0.6] + [50.0] * 8))
    start = images(12, generator)
    end = images(12, generator)
    end.flatten(1)[:, 1] = 0.8
    crossed = ways.cross(MEASURE, {}, segments(start, end))
    assert crossed["tried"].tolist() == crossed["kept"].tolist() == [12] * 5
    step = (end - start).flatten(1)
    cosine = (step[:, 1] / step.norm(dim=1)).repeat(5)
    torch.testing.assert_close(crossed["incidence"].cos(), cosine, rtol=1e-4, atol=1e-5)
    depth = torch.cat([0.6 - start.flatten(1)[:, 1].repeat(4), torch.full((12,), 0.8 - 0.6)])  # and back
    torch.testing.assert_close(crossed["length"] * cosine, depth, rtol=1e-4, atol=1e-5)
    sloped = ways.slopes(ways.SlopesSpec(MEASURE, 5), {}, crossed)
    assert len(sloped) == 5 * 5 * 2 * len(ways.DISTANCES)
    assert bool(sloped["keeps"].all())
    assert (sloped["ratio"] - 1).abs().max() < CLOSE
    expected = np.cos(np.radians(sloped["alpha"])) / Z
    assert (sloped["slope"] / expected - 1).abs().max() < CLOSE
    table = lines.interpolate(lines.LinesSpec(MEASURE, 4, 9), {}, crossed)
    assert sorted(table["kind"].unique()) == sorted(lines.FOLLOWED)
    inside = table[table["sigma"] > 0.01]
    assert len(inside) > 0.8 * len(table)
    flat = inside["odds"].abs() / (3.0 * Z)
    assert (inside["sigma"] / flat - 1).abs().max() < CLOSE
    log_odds = np.log(inside["q"] / (1 - inside["q"])).abs() / (3.0 * Z)
    assert (inside["sigma"] / log_odds - 1).abs().max() < CLOSE
    gradients = torch.tensor([[3.0, 0.0]]).repeat(3, 1)
    assert summaries.flat(gradients, MEASURE.gamma) == pytest.approx(1 / (3 * Z))


def test_probability_takes_even_steps(monkeypatch: pytest.MonkeyPatch, generator: torch.Generator) -> None:
    use(monkeypatch, orthant([0.6] + [50.0] * 8))
    start, end = images(6, generator), images(6, generator)
    end.flatten(1)[:, 1] = 1.0
    crossed = ways.cross(MEASURE, {}, segments(start, end))
    table = lines.interpolate(lines.LinesSpec(MEASURE, 6, 5), {}, crossed)
    assert bool(table["rises"].all())
    even = table[table["space"] == "probability"].pivot_table("q", index=["kind", "row"], columns="u")
    steps = even.columns.to_numpy()
    expected = even[[0.0]].to_numpy() * (1 - steps) + even[[1.0]].to_numpy() * steps
    np.testing.assert_allclose(even, expected, rtol=1e-4)
    image = table[table["space"] == "image"]
    np.testing.assert_allclose(image["t"], image["u"])
    assert set(table["side"]) == {"before", "beyond"}
    assert table["third"].abs().max() < 1e-12


def test_a_margin_that_falls_in_between_is_told_and_met_on_its_way_up() -> None:
    def wave(points: Tensor) -> Tensor:
        t = points[:, 0]
        odds = 4 * (2 * t - 1) + 2.5 * torch.sin(4 * math.pi * t)
        return torch.stack([torch.zeros_like(odds), odds], 1)

    along = on_lines(wave, torch.zeros(1, 1), torch.ones(1, 1))
    pair = torch.tensor([[0, 1]])
    assert lines.rising(along, pair).tolist() == [False]
    t = lines.places_of(along, pair, 0.5)
    assert float(wave(t[:, None])[0, 1]) == pytest.approx(0, abs=1e-4)
    assert float(wave(t[:, None] + 1e-3)[0, 1]) > 0
    steep = on_lines(lambda x: torch.cat([0 * x, 8 * x - 4], 1), torch.zeros(1, 1), torch.ones(1, 1))
    assert lines.rising(steep, pair).tolist() == [True]


def test_crossings_with_a_third_class_in_between_are_left_out(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    use(monkeypatch, orthant([0.5, 0.7] + [50.0] * 7))
    start, end = torch.zeros(2, 1, SIDE, SIDE), torch.zeros(2, 1, SIDE, SIDE)
    end.flatten(1)[:, 1] = 0.8  # class 1 from 0.5 on
    end.flatten(1)[1, 2] = 1.2  # ends in class 2, which leads class 1 at once where it enters
    start.flatten(1)[1, 1] = 0.49
    crossed = ways.cross(MEASURE, {}, segments(start, end))
    assert crossed["tried"].tolist() == [2] * 5
    assert crossed["row"].tolist() == [0] * 5


def curve(ties: list[float], draws: float = 1e7, power: float = 1.0, theta: float = 0.0) -> orthants.Curve:
    sigma = np.geomspace(0.3, 3, 8)
    stability = np.exp(orthants.log_stability(sigma, orthants.Shape(np.array(ties), power, theta)))
    return orthants.Curve(sigma, draws * stability, np.full(8, draws), np.array(ties))


@pytest.mark.parametrize("power", [0.7, 1.0, 3.4])
def test_orthants_are_found_again(power: float) -> None:
    exact = curve([1.0], power=power)
    found = {model: orthants.fit(exact, model) for model in orthants.MODELS}
    for model in ("facets", "both"):
        assert (found[model]["k"], found[model]["d"]) == pytest.approx((power, 1.0), rel=1e-3)
        assert found[model]["deviance"] < 1
    assert found["both"]["freedom"] == 6
    assert (found["half-space"]["deviance"] < 1) == (power == 1.0)
    elsewhere = exact._replace(ties=np.array([2.5]))
    again = orthants.fit(elsewhere, "both")
    assert (again["k"], again["d"]) == pytest.approx((power, 1.0), rel=1e-3)
    if power == 1.0:
        assert orthants.fit(elsewhere, "distance")["d"] == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("facets", [2, 3, 5])
@pytest.mark.parametrize("theta", [-1.2, 0.0, 0.6])
def test_wedges_are_found_again(facets: int, theta: float) -> None:
    """Number, angle and distance, from counts without noise."""
    exact = curve([1.0], power=facets, theta=theta)._replace(ties=np.array([0.7]))
    found = orthants.fit(exact, "skewed")
    assert (found["k"], found["d"]) == (facets, pytest.approx(1.0, rel=1e-3))
    assert found["theta"] == pytest.approx(theta, abs=1e-3)
    assert found["freedom"] == 5
    corner = orthants.fit(exact, "wedge")
    assert (corner["deviance"] < 1) == (facets == 2)
    if facets == 2:
        assert (corner["theta"], corner["d"]) == pytest.approx((theta, 1.0), abs=1e-3)


def test_a_wedges_curve_is_that_of_points_drawn_in_it(generator: torch.Generator) -> None:
    """Within `ERRORS` standard errors, from 40 000 draws."""
    angle, count = 0.5, 40_000
    found = np.exp(orthants.log_stability(np.array([0.8]), orthants.Shape(np.array([1.0]), 3.0, angle)))
    lean = math.tan(angle)
    start = torch.tensor([1.0, *[1 / math.cos(angle) + lean] * 2], dtype=torch.float64)
    x = start + 0.8 * torch.randn(count, 3, generator=generator, dtype=torch.float64)
    inside = (x[:, 0] > 0) & (x[:, 1:] > lean * x[:, :1]).all(1)
    share = float(inside.double().mean())
    assert abs(share - found[0]) < ERRORS * math.sqrt(share * (1 - share) / count)


def test_nine_distances_are_an_orthant_with_nothing_to_fit() -> None:
    exact = curve([0.8, 1.0, 1.5])
    assert orthants.fit(exact, "nine")["deviance"] < 1e-6
    assert orthants.fit(exact, "half-space")["deviance"] > 1e4
    assert math.isnan(orthants.fit(exact, "nine")["k"])
    with pytest.raises(ValueError, match=r"model: got 'round'; required one of half-space"):
        orthants.fit(exact, "round")


def test_the_deviance_is_that_of_binomial_counts() -> None:
    one = orthants.Curve(np.array([1.0, 2.0]), np.array([90.0, 100.0]), np.full(2, 100.0), np.array([1.0]))
    p = stats.norm.cdf([1.0, 0.5])
    best = stats.binom.logpmf(one.kept, 100, one.kept / 100)
    assert orthants.fit(one, "half-space")["deviance"] == pytest.approx(
        2 * (best - stats.binom.logpmf(one.kept, 100, p)).sum()
    )


def test_right_models_are_rejected_as_often_as_stated() -> None:
    """One-sided binomial bounds at `COVERAGE_LEVEL` on both sides of one in twenty, of 400 curves."""
    exact, random, count = curve([1.0], 1000, 2.5), np.random.default_rng(0), 400
    stability = exact.kept / exact.draws
    rejected = 0
    for _ in range(count):
        counted = exact._replace(kept=random.binomial(1000, stability).astype(float))
        rejected += orthants.fit(counted, "both")["chance"] < 0.05
    # The levels where nearly all is kept have fewer degrees of freedom than one each.
    assert stats.binom.ppf(COVERAGE_LEVEL, count, 0.03) <= rejected
    assert rejected <= stats.binom.ppf(1 - COVERAGE_LEVEL, count, 0.06)


def test_counted_curves_of_an_orthant_fit_it(
    monkeypatch: pytest.MonkeyPatch, generator: torch.Generator
) -> None:
    """The count at each level lies within `ERRORS` standard errors of what the orthant has."""
    network = orthant([0.9, 0.9, 0.9] + [50.0] * 6)
    use(monkeypatch, network)
    start = images(4, generator)
    start.flatten(1)[:, 1:4] = torch.tensor([0.5, 0.5, 0.5])
    least = start.clone()
    least.flatten(1)[:, 1] = 1.5
    spec = curves.CurvesSpec(MEASURE, 3, 6, 2000)
    given = {"image": start, "least": least, "igsm": least}
    counted = curves.count(spec, {}, given)
    own = counted[counted["kind"] == "image"]
    assert len(own) == 3 * 6
    assert own["sigma"].min() / own["persistence"].min() == pytest.approx(curves.LEAST)
    truth = stats.norm.cdf(0.4 / own["sigma"]) ** 3
    error = np.sqrt(truth * (1 - truth) / 2000)
    assert ((own["kept"] / 2000 - truth).abs() / error).max() < ERRORS
    fits = curves.fitted(spec, counted)
    both = fits[(fits["kind"] == "image") & (fits["model"] == "both")]
    assert both["k"].tolist() == pytest.approx([3.0] * 3, rel=0.25)
    assert both["d"].tolist() == pytest.approx([0.4] * 3, rel=0.1)
    assert both["facets"].tolist() == pytest.approx([3.0] * 3, rel=0.1)
    drawn = curves.drawn(counted, fits)
    assert set(drawn["model"]) == {"counted", *orthants.MODELS} - {"nine"}
    assert bool((drawn["low"].dropna() <= drawn["stability"][drawn["low"].notna()]).all())


def test_skews_are_in_degrees_and_shares_in_hundredths() -> None:
    rows = [
        ("image", model, angle + place, facets)
        for model, angle in (("skewed", 0.0), ("wedge", 1.3), ("both", 0.0))
        for place, facets in enumerate((0.9, 1.5, 2.0))
    ]
    table = pd.DataFrame(rows, columns=["kind", "model", "theta", "facets"])
    table.loc[table["model"] == "wedge", "theta"] = [1.3, 1.45, 1.48]
    found = summaries.skews(table).loc["image"]
    assert found["theta"] == pytest.approx(math.degrees(1))
    assert found["theta-high"] - found["theta-low"] == pytest.approx(math.degrees(1))
    assert found["narrow"] == found["bent"] == pytest.approx(200 / 3)


def test_partial_correlation_is_that_of_the_rests_of_ranks() -> None:
    random = np.random.default_rng(1)
    given = random.normal(size=80)
    table = pd.DataFrame({"c": given, "a": given + random.normal(size=80), "b": random.normal(size=80)})
    table["b"] += table["a"] - given
    ranks = table.rank().to_numpy()
    rests = [
        values - np.polyval(np.polyfit(ranks[:, 0], values, 1), ranks[:, 0]) for values in ranks[:, 1:].T
    ]
    found = summaries.partial(table, "a", "b", "c", seed=0)
    assert found["value"] == pytest.approx(np.corrcoef(*rests)[0, 1])
    assert found["low"] < found["value"] < found["high"]
    plain = summaries.ranks(table, ["b"], "a", seed=0).loc["b"]
    assert plain["value"] == pytest.approx(stats.spearmanr(table["a"], table["b"]).statistic)


def test_sides_are_compared_where_both_keep_their_class() -> None:
    rows = [
        ("free", 0.1, row, side, value, not (row == 9 and side == "beyond"))
        for row in range(10)
        for side, value in (("before", 2.0), ("beyond", 1.0 if row < 9 else 50.0))
    ]
    back = {"before": 1.0, "beyond": 0.8}
    rows += [("back", 0.1, row, side, value, True) for row in range(10) for side, value in back.items()]
    table = pd.DataFrame(rows, columns=["kind", "distance", "row", "side", "ratio", "keeps"])
    sides = summaries.sides(table).set_index("kind")
    assert sides.loc["free", ["pairs", "before", "beyond", "quotient"]].tolist() == [9, 2, 1, 0.5]
    assert sides.loc["back", "quotient"] == 0.8
    effects = summaries.there_and_back(table, 0.1, seed=0)
    assert effects["value"].tolist() == pytest.approx([math.sqrt(0.5 * 0.8), math.sqrt(0.5 / 0.8)])


def test_opposite_steps_of_probability_are_compared() -> None:
    rows = [
        ("least", row, u, "probability", 1.0 + 2 * (u > 0.5) + 4 * (u == 1.0))
        for row in range(8)
        for u in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    table = pd.DataFrame(rows, columns=["kind", "row", "u", "space", "sigma"])
    found = summaries.mirrored(pd.concat([table, table.assign(space="image", sigma=9.0)]))
    assert found[["u", "median"]].to_numpy().tolist() == [[0, 7], [0.25, 3]]


def test_goodness_is_per_degree_of_freedom() -> None:
    columns = {"kind": "image", "model": "both", "row": [0, 1], "k": 2.0, "d": [1.0, 3.0], "distance": 2.0}
    table = pd.DataFrame(columns | {"deviance": [6.0, 60.0], "freedom": 6, "chance": [0.4, 0.001]})
    found = summaries.goodness(table).iloc[0]
    assert (found["points"], found["scale"], found["per"], found["passes"]) == (2, 1, 5.5, 0.5)


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_plan_uses_a_network_of_table_1(profile: str) -> None:
    spec, networks = profiles.persistence_revisited(profile), profiles.networks(profile)
    assert spec.network in networks.networks
    assert study.trained(spec, networks).digest == study.table.trained(networks, spec.network).digest
    assert study.fitted(spec, networks).parents[0].parents[1].digest == study.ended(spec, networks).digest
    assert study.lined(spec, networks).parents[1].digest == study.sloped(spec, networks).parents[1].digest


def test_a_level_at_which_flat_boundaries_have_no_persistence_is_refused() -> None:
    with pytest.raises(ValueError, match=r"gamma is 0.5; it must be greater than 0.5"):
        profiles.persistence_revisited("quick", gamma=0.5)
