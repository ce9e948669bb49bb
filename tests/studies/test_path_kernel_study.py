"""The path-kernel chapter's measurements, on small runs whose answers are known."""

import numpy as np
import pandas as pd
import pytest
import torch
from neighborhoods import profiles
from neighborhoods.studies import path_kernel as study
from neighborhoods.studies import recorded
from neighborhoods.studies.path_kernel import (
    digits,
    forms,
    gaps,
    machine,
    nodes,
    orders,
    plane,
    signs,
    steps,
    widths,
)
from neighborhoods.studies.recorded import RecordedSpec

SMOKE = profiles.path_kernel("smoke")


def test_every_run_of_the_chapter_is_represented_on_mnist() -> None:
    bounds = {"float64": 1e-12, "float32": 5e-6}
    for item in study.exact(SMOKE):
        (row,) = item.compute(item.spec, recorded.run(item.parents[0].spec)).to_dict("records")
        assert max(row["new"], row["known"]) <= bounds[row["dtype"]], row
        assert row["status"] == "converged"
        if row["rule"] == "gradient descent":
            assert row["symmetric"] > 1e-5
        else:
            assert np.isnan(row["symmetric"])


def test_the_chapter_covers_depths_activations_precisions_and_rules() -> None:
    specs = [item.spec.run for item in study.exact(profiles.path_kernel("quick"))]
    assert {spec.network.count("-") - 1 for spec in specs if spec.activation == "relu"} == {1, 2, 3}
    assert {spec.activation for spec in specs} == {"relu", "tanh", "gelu"}
    assert {spec.dtype for spec in specs} == {torch.float32, torch.float64}
    rules = {(spec.optimiser, spec.batch is None) for spec in specs}
    assert {("heavy ball", True), ("heavy ball", False), ("Adam", False), ("AdamW", True)} <= rules
    assert {("gradient descent", False), ("weight decay", True)} <= rules


def test_queries_begin_with_new_points_and_the_gap_is_relative() -> None:
    spec = RecordedSpec("784-4-10", examples=6, steps=2)
    run = gaps.opened(spec, recorded.run(spec), 5)
    assert run.new == 3
    assert torch.equal(run.queries[3:], run.points[:2])
    assert not torch.equal(run.start, run.outputs)
    assert gaps.gap(run.outputs + 1, run.outputs, run.outputs - 4) == pytest.approx(0.25)


def test_fixed_rules_stay_away_from_relu_and_the_exact_one_does_not() -> None:
    spec = RecordedSpec("784-8-6-10", examples=20, steps=4, rate=0.5)
    table = nodes.errors(nodes.NodesSpec(spec, 6, 8), recorded.run(spec)).set_index(["rule", "nodes"])["gap"]
    assert table["exact", 0] <= 1e-12
    assert table["left", 8] > 1e-4
    assert table["left", 8] < table["left", 1]


def test_orders_of_a_power_law_are_found_and_cover_nothing_else() -> None:
    rates = np.array([0.4, 0.2, 0.1, 0.05])
    table = pd.DataFrame({"rate": rates} | dict.fromkeys(orders.QUANTITIES, 3 * rates**2))
    found = orders.slopes(table)
    assert found["order"].to_numpy() == pytest.approx(2)
    assert (found["high"] - found["low"] < 1e-6).all()
    with pytest.raises(ValueError, match="table: got 2 step sizes; required at least 3"):
        orders.slopes(table[:2])


def test_remark_3_everything_is_of_first_order_for_tanh() -> None:
    table = orders.halve(orders.OrderSpec("tanh", 20, 8, 3, 0))
    found = orders.slopes(table).set_index("quantity")["order"]
    assert found.to_numpy() == pytest.approx(1, abs=0.1)
    # A constant initial output costs the same at every step size.
    assert table["constant"].max() / table["constant"].min() < 1.05
    assert (table["steps"] == orders.TIME / table["rate"]).all()


def test_definiteness_is_lost_by_long_steps_of_the_asymmetric_form_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "RATES", (0.25, 16.0))
    table = steps.definite(steps.StepsSpec(10, 8, 0))
    least = table.groupby(["form", "rate"])["ratio"].min()
    assert least["asymmetric", 0.25] > 0 > least["asymmetric", 16.0]
    assert least["dpk"].min() > -1e-10
    assert len(table) == 2 * 2 * steps.STEPS


def test_wide_networks_approach_their_tangent_kernel() -> None:
    table = widths.widen(widths.WidthsSpec("gaussians", 20, 10, 20, 256, 3, 0))
    medians = table.groupby("width")[["frozen", "linearised", "moved"]].median()
    assert (medians.loc[256] < 0.2 * medians.loc[16]).all()
    one = widths.widen(widths.WidthsSpec("mnist", 10, 1, 6, 16, 1, 0)).iloc[0]
    # After a single step the coefficients agree, so that both comparisons are the same function.
    assert one["frozen"] == pytest.approx(one["linearised"], rel=1e-3)


def test_section_17_3_constant_signs_leave_an_asymmetric_sum() -> None:
    spec = RecordedSpec("2-8-1", "gaussians", 12, 10, 0.5, head="probability")
    row = signs.weighted(signs.SignsSpec(spec), recorded.run(spec)).iloc[0]
    assert row["changes"] == 0
    assert row["asymmetry"] > 0.05
    assert row["quotient"] > 1


def test_section_17_3_the_log_probability_network_is_one_machine() -> None:
    spec = RecordedSpec("784-6-10", examples=12, steps=4, rate=0.5, head="log-probabilities")
    found = machine.one_machine(machine.MachineSpec(spec, 8), recorded.run(spec))
    change = (found["network"] - found["start"]).abs().max()
    error = (found["kernel"] - found["network"]).abs().amax(1) / change
    assert float(error[:4].max()) <= 1e-12
    assert float(error[4:].max()) > 1e-6
    assert float(found["eigenvalues"][0]) >= -1e-12 * float(found["eigenvalues"][-1])


def test_forms_have_the_properties_that_the_page_states() -> None:
    spec = RecordedSpec(
        "784-4-10", examples=8, steps=3, rate=0.05, activation="tanh", head="log-probabilities"
    )
    table = forms.compare(forms.FormsSpec(spec, 6), recorded.run(spec)).set_index(["rule", "form"])
    euler, implicit = table.loc["gradient descent"], table.loc["average vector field"].iloc[0]
    assert euler.loc["asymmetric", ["new", "known"]].max() <= 1e-12
    assert euler.loc["asymmetric", "asymmetry"] > 1e-3
    assert euler.loc["dpk", "new"] <= 1e-12
    assert euler.loc["dpk", "known"] > 1e-4
    assert euler.loc["dpk", "jump"] > 1e-4 > euler.loc["continuous", "jump"]
    assert euler.loc[["continuous", "averaged", "tangent"], "new"].min() > 1e-3
    assert implicit[["asymmetry", "new", "known"]].max() <= 1e-12
    assert implicit["jump"] < 1e-5


def test_places_of_the_plane_come_first_and_outputs_are_drawn_with_their_labels() -> None:
    spec = RecordedSpec("2-6-1", "gaussians", 20, 5, 0.5)
    values = recorded.run(spec)
    found = plane.values(plane.PlaneSpec(spec, 7), values)
    assert found["kernel"].shape == (4 + 7, 20)
    assert found["queries"][2].tolist() == [4.0, 15.0]
    table = digits.outputs(digits.OutputsSpec(spec, 7), values)
    assert table["label"].tolist() == recorded.held_out(spec, 7).targets.tolist()
    assert np.abs(table["kernel"] - table["network"]).max() <= 1e-12
    assert table["network"].to_numpy() == pytest.approx(found["outputs"][4:].numpy(), abs=1e-12)
