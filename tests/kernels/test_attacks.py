"""Sign-gradient attacks against a naive loop, linear classifiers, and the promises of their docstrings."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from neighborhoods.kernels.attacks import fgsm, igsm
from neighborhoods.kernels.statistics import labels_of
from reference import igsm_of_one
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

CLASSES, PIXELS = 4, 16


@pytest.fixture
def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        layers = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 12), nn.Tanh(), nn.Linear(12, CLASSES))
        for layer in (layers[1], layers[3]):
            nn.init.normal_(layer.weight)
        with torch.no_grad():  # centred on the middle of the box, so that every class is near
            layers[1].bias.copy_(-layers[1].weight.sum(1) / 2)
    return layers.double().eval()


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return torch.rand(12, 1, 4, 4, generator=generator, dtype=torch.float64)


def linear(weights: Tensor):
    """Two classes: class 1 where the weighted sum is positive."""
    return lambda x: torch.stack([torch.zeros(len(x), dtype=x.dtype), x.flatten(1) @ weights], 1)


def wanted(network: nn.Module, images: Tensor, targeted: bool) -> tuple[Tensor, Tensor | None]:
    labels = labels_of(network, images)
    return labels, (labels + 1) % CLASSES if targeted else None


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("stop", ["success", "never"])
def test_batches_agree_with_the_naive_loop_image_by_image(
    network: nn.Module, images: Tensor, targeted: bool, stop: str
) -> None:
    labels, targets = wanted(network, images, targeted)
    found = igsm(network, images, labels, epsilon=0.3, alpha=0.03, steps=15, targets=targets, stop=stop)
    for row in range(len(images)):
        target = None if targets is None else int(targets[row])
        point, success, steps = igsm_of_one(
            network,
            images[row],
            int(labels[row]),
            epsilon=0.3,
            alpha=0.03,
            steps=15,
            target=target,
            stop=stop,
        )
        torch.testing.assert_close(found.points[row], point, rtol=0, atol=1e-14)
        assert (bool(found.success[row]), int(found.steps[row])) == (success, steps)
    assert int(found.success.sum()) > 0


@pytest.mark.parametrize("targeted", [False, True])
def test_companions_do_not_change_a_row(network: nn.Module, images: Tensor, targeted: bool) -> None:
    labels, targets = wanted(network, images, targeted)
    whole = igsm(network, images, labels, epsilon=0.3, alpha=0.02, steps=20, targets=targets)
    for rows in torch.arange(len(images)).split(5):
        part = None if targets is None else targets[rows]
        some = igsm(network, images[rows], labels[rows], epsilon=0.3, alpha=0.02, steps=20, targets=part)
        for one, other in zip(whole, some, strict=True):
            torch.testing.assert_close(one[rows], other, rtol=0, atol=1e-14)


@given(st.floats(0.01, 0.2), st.floats(0.001, 0.05), st.integers(1, 20), st.booleans())
def test_linear_classifier_has_a_closed_form(
    epsilon: float, alpha: float, steps: int, targeted: bool
) -> None:
    weights = torch.tensor([1.0, -2.0, 0.0, 0.5], dtype=torch.float64)
    x = torch.tensor([[0.5, 0.4, 0.9, 0.3]], dtype=torch.float64)  # weighted sum -0.15, class 0
    label, target = torch.tensor([0]), torch.tensor([1]) if targeted else None
    rate, gap = float(weights.abs().sum()), 0.15
    reach = [min(m * alpha, epsilon) for m in range(steps + 1)]
    never = igsm(
        linear(weights), x, label, epsilon=epsilon, alpha=alpha, steps=steps, targets=target, stop="never"
    )
    torch.testing.assert_close(never.points, x + reach[-1] * weights.sign(), rtol=0, atol=1e-14)
    assert float(never.distortion) == pytest.approx(reach[-1] * math.sqrt(3 / 4), abs=1e-14)
    if min(abs(r * rate - gap) for r in reach) > 1e-9:
        assert bool(never.success) == (reach[-1] * rate > gap)
        first = next((m for m, r in enumerate(reach) if r * rate > gap), steps)
        stopped = igsm(linear(weights), x, label, epsilon=epsilon, alpha=alpha, steps=steps, targets=target)
        assert int(stopped.steps) == first
        torch.testing.assert_close(stopped.points, x + reach[first] * weights.sign(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("targeted", [False, True])
def test_one_step_moves_the_loss_the_right_way(network: nn.Module, images: Tensor, targeted: bool) -> None:
    labels, targets = wanted(network, images, targeted)
    found = fgsm(network, images, labels, epsilon=0.005, targets=targets)
    classes = labels if targets is None else targets
    before, after = (cross_entropy(network(x), classes, reduction="none") for x in (images, found.points))
    assert bool(((after < before) if targeted else (after > before)).all())
    assert found.steps.tolist() == [1] * len(images)
    inside = images.clamp(0.005, 0.995)
    moved = fgsm(network, inside, labels, epsilon=0.005, targets=targets).points - inside
    torch.testing.assert_close(moved.abs(), torch.full_like(moved, 0.005), rtol=0, atol=1e-15)


@settings(max_examples=30)
@given(st.floats(0, 0.5), st.floats(0, 0.2), st.integers(1, 10), st.sampled_from(["success", "never"]))
def test_points_stay_in_the_ball_and_the_box(epsilon: float, alpha: float, steps: int, stop: str) -> None:
    source = torch.Generator().manual_seed(3)
    weights = torch.randn(5, 3, generator=source, dtype=torch.float64)
    x = torch.rand(6, 5, generator=source, dtype=torch.float64)
    labels = (x @ weights).argmax(1)
    found = igsm(lambda p: p @ weights, x, labels, epsilon=epsilon, alpha=alpha, steps=steps, stop=stop)
    assert bool(((found.points >= 0) & (found.points <= 1)).all())
    assert bool(((found.points - x).abs() <= epsilon + 1e-15).all())
    expected = (found.points - x).square().mean(1).sqrt()
    torch.testing.assert_close(found.distortion, expected)
    assert bool((found.success == (labels_of(lambda p: p @ weights, found.points) != labels)).all())


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.2])
def test_points_freeze_at_the_first_success_beyond_the_margin(
    network: nn.Module, images: Tensor, margin: float
) -> None:
    labels, targets = wanted(network, images, True)
    assert targets is not None
    options = {"epsilon": 1.0, "alpha": 0.01, "targets": targets, "margin": margin}
    found = igsm(network, images, labels, steps=60, **options)
    logits = network(found.points).detach()
    others = logits.scatter(1, targets[:, None], -math.inf).amax(1)
    excess = logits.gather(1, targets[:, None])[:, 0] - others
    assert bool((found.success == (excess > margin)).all())
    assert bool(found.success.any())
    for row in found.success.nonzero()[:, 0].tolist():
        if steps := int(found.steps[row]):
            early = igsm(network, images, labels, steps=steps, stop="never", **options)
            torch.testing.assert_close(early.points[row], found.points[row], rtol=0, atol=1e-14)
        if steps > 1:
            short = igsm(network, images, labels, steps=steps - 1, **options)
            assert not bool(short.success[row])


def test_a_point_that_has_succeeded_takes_no_step(network: nn.Module, images: Tensor) -> None:
    labels = (labels_of(network, images) + 1) % CLASSES
    found = igsm(network, images, labels, epsilon=0.1, alpha=0.1, steps=5)
    assert bool(found.success.all())
    assert not bool(found.steps.any())
    assert torch.equal(found.points, images)


def test_failures_stay_as_rows(network: nn.Module, images: Tensor) -> None:
    labels = labels_of(network, images)
    found = igsm(network, images, labels, epsilon=1e-9, alpha=1e-9, steps=3)
    assert found.success.tolist() == [False] * len(images)
    assert found.steps.tolist() == [3] * len(images)
    assert found.points.shape == images.shape


def test_zero_gradients_leave_points_in_place() -> None:
    def constant(x: Tensor) -> Tensor:
        return 0 * x.sum(1, keepdim=True) + torch.tensor([1.0, 0.0, 0.0])

    x = torch.full((2, 3), 0.5)
    found = igsm(constant, x, torch.zeros(2, dtype=torch.int64), epsilon=0.1, alpha=0.1, steps=4)
    assert torch.equal(found.points, x)
    assert not bool(found.success.any())
    assert found.distortion.tolist() == [0, 0]


def test_confidence_does_not_hide_the_direction() -> None:
    """In float32 the cross-entropy of a margin of 400 has no gradient left; the gap has."""
    weights = torch.tensor([1.0, -1.0])
    x, label = torch.tensor([[0.0, 1.0]]), torch.tensor([0])
    inputs = x.clone().requires_grad_()
    loss = cross_entropy(linear(400 * weights)(inputs), label)
    assert not bool(torch.autograd.grad(loss, inputs)[0].any())
    found = fgsm(linear(400 * weights), x, label, epsilon=0.25)
    torch.testing.assert_close(found.points, torch.tensor([[0.25, 0.75]]))


def test_nothing_is_left_behind(network: nn.Module, images: Tensor) -> None:
    network.train()
    labels = labels_of(network, images)
    before = images.clone()
    with torch.no_grad():
        found = igsm(network, images, labels, epsilon=0.2, alpha=0.05, steps=5)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(module.training for module in network.modules())
    assert not any(value.requires_grad for value in found)
    assert torch.equal(images, before)


@pytest.mark.parametrize("layer", [nn.Dropout(), nn.BatchNorm1d(PIXELS)])
def test_train_mode_is_refused_where_it_matters(layer: nn.Module, images: Tensor) -> None:
    model = nn.Sequential(nn.Flatten(), layer, nn.Linear(PIXELS, CLASSES)).double()
    labels = torch.zeros(len(images), dtype=torch.int64)
    with pytest.raises(ValueError, match=r"classifier: got .* in train mode; required evaluation mode"):
        fgsm(model, images, labels, epsilon=0.1)
    fgsm(model.eval(), images, labels, epsilon=0.1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epsilon": -0.1}, r"epsilon: got -0\.1; required at least 0"),
        ({"alpha": math.inf}, "alpha: got inf; required a finite number"),
        ({"steps": 0}, "steps: got 0; required at least 1"),
        ({"margin": -1.0}, r"margin: got -1\.0"),
        ({"box": (0.4, 1.0)}, r"points: got coordinates in \[.*\]; required inside the box \(0\.4, 1\.0\)"),
        ({"targets": torch.zeros(12, dtype=torch.int64)}, "targets: got 0 in row 0; required other classes"),
        ({"labels": torch.full((12,), 4)}, r"labels, targets: got \[4\]; required some of 4"),
        (
            {"classifier": lambda x: x.flatten(1).argmax(1)},
            "classifier: got torch.int64 .*; required floating",
        ),
        (
            {"classifier": lambda x: torch.zeros(len(x), 2)},
            "classifier: got logits that are not finite or not",
        ),
        ({"classifier": lambda x: x.flatten(1) * math.nan}, "classifier: got logits that are not finite"),
    ],
)
def test_wrong_arguments_are_named(network: nn.Module, images: Tensor, change: dict, words: str) -> None:
    labels = torch.zeros(len(images), dtype=torch.int64)
    options = {"classifier": network, "labels": labels, "epsilon": 0.1, "alpha": 0.1, "steps": 2} | change
    with pytest.raises(ValueError, match=words):
        igsm(points=images, **options)
