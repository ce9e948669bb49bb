"""What is wrong with torchattacks 3.5.1, each fault seen there, and gone behind our call."""

import math

import pytest
import torch
import torchattacks
from neighborhoods.kernels.attacks import igsm
from neighborhoods.kernels.attacks import lead as leads
from neighborhoods.kernels.statistics import Status
from neighborhoods.models.packaged_attacks import SETTINGS, attack
from torch import Tensor, nn

CLASSES = 4
METHODS = list(SETTINGS)
UNTARGETED = [name for name in METHODS if name != "JSMA"]
TARGETED = [name for name in METHODS if name != "DeepFool"]
RADIUS = [name for name in METHODS if "epsilon" in SETTINGS[name]]
QUICK = {"CW": {"rounds": 2, "steps": 30}, "DeepFool": {"steps": 5}}


@pytest.fixture
def network(generator: torch.Generator) -> nn.Module:
    """Small and smooth, with a normalisation and a dropout that have to be in evaluation mode."""
    layers = [nn.Flatten(), nn.Linear(16, 12), nn.BatchNorm1d(12), nn.Tanh(), nn.Dropout()]
    layers.append(nn.Linear(12, CLASSES))
    with torch.no_grad():
        for layer in (layers[1], layers[5]):
            layer.weight.normal_(generator=generator)
            layer.bias.normal_(generator=generator)
    return nn.Sequential(*layers).double().eval()


@pytest.fixture
def images(generator: torch.Generator) -> Tensor:
    return (1.5 * torch.rand(10, 1, 4, 4, generator=generator, dtype=torch.float64) - 0.25).clamp(0, 1)


def classes(network: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    labels = network(images).argmax(1)
    return labels, (labels + 1) % CLASSES


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def half_space(shift: float = 0.0, scale: float = 1.0) -> nn.Module:
    """Class 1 where the mean of the pixels exceeds a half, all logits shifted."""
    layer = nn.Linear(4, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0] * 4, [scale] * 4]))
        layer.bias.copy_(torch.tensor([shift, shift - 2.0 * scale]))
    return nn.Sequential(nn.Flatten(), layer).eval()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("targeted", [False, True])
def test_success_is_what_the_network_says(
    network: nn.Module, images: Tensor, method: str, targeted: bool
) -> None:
    if method not in (TARGETED if targeted else UNTARGETED):
        pytest.skip("the attack does not know this mode")
    labels, other = classes(network, images)
    targets = other if targeted else None
    options = {"epsilon": 0.3} if method in RADIUS else QUICK.get(method, {})
    found = attack(method, network, images, labels, targets=targets, generator=seeded(), **options)
    with torch.no_grad():
        answer = network(found.points).argmax(1)
    assert found.success.any()
    assert (found.success == ((answer == targets) if targeted else (answer != labels))).all()
    assert (found.status == torch.where(found.success, Status.CONVERGED, Status.FAILED)).all()
    assert bool(((found.points >= 0) & (found.points <= 1)).all())
    torch.testing.assert_close(found.distortion, (found.points - images).flatten(1).square().mean(1).sqrt())
    if method in RADIUS:
        assert float((found.points - images).abs().max()) <= 0.3 + 1e-12


def test_the_iterated_sign_is_that_of_our_kernel(network: nn.Module, images: Tensor) -> None:
    labels, targets = classes(network, images)
    settings = {"epsilon": 0.2, "alpha": 0.03, "steps": 9}
    ours = igsm(network, images, labels, targets=targets, stop="never", **settings)
    theirs = attack("BIM", network, images, labels, targets=targets, **settings)
    torch.testing.assert_close(theirs.points, ours.points, rtol=0, atol=1e-12)


def test_values_left_out_are_those_of_the_package() -> None:
    for method in ("FGSM", "BIM", "MIFGSM", "PGD", "DeepFool", "JSMA"):
        theirs = vars(getattr(torchattacks, method)(half_space()))
        ours = {name.replace("epsilon", "eps"): value for name, value in SETTINGS[method].items()}
        assert {name: theirs[name] for name in ours} == ours


# --- faults of the package, and that they are gone ---


def test_modes_and_flags_are_restored(network: nn.Module, images: Tensor) -> None:
    labels = classes(network, images)[0]
    network.train()
    network[2].eval()  # a frozen normalisation
    network[1].weight.requires_grad_(False)
    before = [module.training for module in network.modules()]
    for method in UNTARGETED:
        attack(method, network, images[:2], labels[:2], **QUICK.get(method, {}))
        assert [module.training for module in network.modules()] == before
    assert [parameter.requires_grad for parameter in network.parameters()][:2] == [False, True]
    assert all(parameter.grad is None for parameter in network.parameters())
    torchattacks.FGSM(network)(images[:2], labels[:2])
    assert network[2].training, "the package thaws it"


def test_modes_are_restored_after_an_error(images: Tensor) -> None:
    broken = nn.Sequential(nn.Flatten(), nn.Linear(16, CLASSES), nn.Dropout()).double()
    with torch.no_grad():
        broken[1].bias.fill_(math.nan)
    with pytest.raises(ValueError, match="not finite"):
        attack("FGSM", broken, images, torch.zeros(10, dtype=torch.int64))
    assert all(module.training for module in broken.modules())


def test_parameters_gather_no_gradients(network: nn.Module, images: Tensor) -> None:
    labels = classes(network, images)[0]
    attack("DeepFool", network, images, labels, steps=2)
    assert all(parameter.grad is None for parameter in network.parameters())
    torchattacks.DeepFool(network, steps=2)(images, labels)
    assert any(parameter.grad is not None for parameter in network.parameters()), "in the package they do"


def test_other_ranges_are_refused(network: nn.Module, images: Tensor) -> None:
    labels = torch.zeros(10, dtype=torch.int64)
    with pytest.raises(
        ValueError, match=r"points: got coordinates in \[0.0, 255.0\]; required inside the box"
    ):
        attack("FGSM", network, 255 * images, labels)
    moved = torchattacks.FGSM(network)(255 * images, labels)
    assert float(moved.max()) == 1, "the package destroys such images instead"


def test_an_image_without_a_gradient_is_undecided(network: nn.Module) -> None:
    """The cross-entropy of a lead of 400 has no gradient in single precision."""
    sure = half_space(scale=400.0)
    x, label = torch.zeros(1, 1, 2, 2), torch.tensor([0])
    assert torch.equal(torchattacks.MIFGSM(sure)(x, label), x), (
        "the package leaves it where it is, in silence"
    )
    for method in ("FGSM", "BIM", "MIFGSM", "PGD", "R+FGSM"):
        found = attack(method, sure, x, label, generator=seeded())
        assert found.status.tolist() == [Status.UNDECIDED]
        assert found.points.isfinite().all()
    assert attack("CW", sure, x, label).success.all()
    assert attack("FGSM", half_space(), x, label).status.tolist() == [Status.FAILED]


def test_randomised_fgsm_is_the_published_one(network: nn.Module, images: Tensor) -> None:
    """One step of ε/2 by the sign of the gradient, after one of ε/2 by random signs."""
    labels = classes(network, images)[0]
    found = attack("R+FGSM", network, images, labels, epsilon=0.1, generator=seeded())
    source = seeded()
    signs = torch.stack([torch.randn(1, 4, 4, generator=source, dtype=torch.float64) for _ in images]).sign()
    start = (images + 0.05 * signs).clamp(0, 1).requires_grad_()
    slope = torch.autograd.grad(nn.functional.cross_entropy(network(start), labels), start)[0]
    torch.testing.assert_close(found.points, (start + 0.05 * slope.sign()).detach().clamp(0, 1))
    assert torchattacks.RFGSM(network).steps == 10, "in the package there are ten"


@pytest.mark.parametrize("method", METHODS)
def test_companions_do_not_change_a_row(network: nn.Module, images: Tensor, method: str) -> None:
    labels, targets = classes(network, images)
    given = targets if method in TARGETED else None
    source, options = seeded(), QUICK.get(method, {})
    whole = attack(method, network, images, labels, targets=given, generator=seeded(), **options)
    for rows in torch.arange(len(images)).split(4):
        part = None if given is None else given[rows]
        some = attack(method, network, images[rows], labels[rows], targets=part, generator=source, **options)
        torch.testing.assert_close(whole.points[rows], some.points, rtol=1e-9, atol=1e-9)
        assert torch.equal(whole.status[rows], some.status)


def test_random_starts_leave_the_global_generator_alone(network: nn.Module, images: Tensor) -> None:
    labels, state = classes(network, images)[0], torch.get_rng_state()
    first, second = (attack("PGD", network, images, labels, generator=seeded()) for _ in range(2))
    assert torch.equal(first.points, second.points)
    assert torch.equal(torch.get_rng_state(), state)
    torchattacks.PGD(network)(images, labels)
    assert not torch.equal(torch.get_rng_state(), state), "the package draws from it"


def test_cw_of_negative_logits() -> None:
    """The package masks logits by multiplying them, and takes the zeros for the largest."""
    network, x, label = half_space(shift=-100.0), torch.full((1, 1, 2, 2), 0.3), torch.tensor([0])
    theirs = torchattacks.CW(network, c=10, steps=200)(x, label)
    assert torch.equal(theirs, x), "the package sees no difference between the logits"
    ours = attack("CW", network, x, label)
    assert ours.success.all()
    torch.testing.assert_close(ours.points, torch.full_like(x, 0.5), atol=0.01, rtol=0)


@pytest.mark.parametrize("face", [0.0, 1.0])
def test_cw_moves_pixels_at_the_faces(face: float) -> None:
    network = half_space(shift=100.0)
    x, label = torch.full((1, 1, 2, 2), face), torch.tensor([int(face)])
    theirs = torchattacks.CW(network, c=10, steps=200)(x, label)
    assert torch.equal(theirs, x), "their infinite preimages stay where they are in the package"
    assert attack("CW", network, x, label).success.all()


def test_cw_searches_for_its_penalty() -> None:
    """With small logits the package's c = 1 is too weak to move the image across."""
    network, x, label = half_space(shift=100.0, scale=0.01), torch.full((1, 1, 2, 2), 0.3), torch.tensor([0])
    theirs = torchattacks.CW(network, steps=300)(x, label)
    assert float(leads(network(theirs).detach(), label)) > 0
    assert attack("CW", network, x, label).success.all()


def test_cw_of_the_package_depends_on_companions(network: nn.Module, images: Tensor) -> None:
    labels = classes(network, images)[0]
    with torch.no_grad():
        network[5].bias += 100.0  # so that its masked zeros do no harm
    inside = images.clamp(0.05, 0.95)
    packaged = torchattacks.CW(network, c=1, steps=60, lr=0.1)
    together = packaged(inside, labels)
    alone = torch.cat([packaged(inside[row : row + 1], labels[row : row + 1]) for row in range(len(inside))])
    assert float((together - alone).abs().max()) > 0.01, "its early stop reads the sum over the batch"


def test_deepfool_crosses_the_boundary() -> None:
    """From a corner of the box half of each step is clipped away: the package creeps up to the boundary."""
    layer = nn.Linear(4, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.0] * 4, [1.0, -1.0, 1.0, -1.0]]))
        layer.bias.copy_(torch.tensor([0.0, -0.5]))
    network, x, label = nn.Sequential(nn.Flatten(), layer).eval(), torch.zeros(1, 1, 2, 2), torch.tensor([0])
    theirs = torchattacks.DeepFool(network, steps=8)(x, label)
    assert float(leads(network(theirs).detach(), label)) > 0, "and does not cross it"
    found = attack("DeepFool", network, x, label, steps=8)
    assert found.success.all()
    assert float(found.distortion) * 2 == pytest.approx(0.5 / math.sqrt(2), rel=0.03)


@pytest.mark.parametrize(
    ("method", "change", "words"),
    [
        ("LBFGS", {}, r"'method'\.\nActual value: 'LBFGS'\nExpected type: .*'FGSM', 'BIM'"),
        ("FGSM", {"alpha": 0.1}, "settings: got alpha; FGSM knows epsilon"),
        ("FGSM", {"epsilon": 0.0}, r"epsilon: got 0\.0; required more than 0"),
        ("BIM", {"steps": 0}, "steps: got 0; required a whole number, at least 1"),
        ("CW", {"rounds": 1.5}, "rounds: got 1.5; required a whole number"),
        ("JSMA", {}, "targets: got None; JSMA requires the classes to reach"),
        ("DeepFool", {"targets": torch.ones(10, dtype=torch.int64)}, "DeepFool is untargeted"),
        ("FGSM", {"targets": torch.zeros(10, dtype=torch.int64)}, "targets: got 0 in row 0"),
        ("FGSM", {"points": torch.zeros(10, 16)}, "parameter 'points'"),
        ("FGSM", {"labels": torch.full((10,), CLASSES)}, r"labels, targets: got \[4\]"),
        ("FGSM", {"classifier": lambda x: x.flatten(1).argmax(1)}, "required floating logits"),
    ],
)
def test_errors_name_the_argument(
    network: nn.Module, images: Tensor, method: str, change: dict[str, object], words: str
) -> None:
    arguments = {"classifier": network, "points": images, "labels": torch.zeros(10, dtype=torch.int64)}
    with pytest.raises((ValueError, TypeError), match=words):
        attack(method, **(arguments | change))


def test_images_too_large_for_a_map_of_pairs_are_refused() -> None:
    wide = torch.zeros(1, 3, 64, 64)
    with pytest.raises(ValueError, match="points: got 12288 values an image; JSMA requires at most 4096"):
        attack("JSMA", lambda x: x.flatten(1)[:, :3], wide, torch.tensor([0]), targets=torch.tensor([1]))
