"""Persistence of photographs, of their adversaries, and at equal depth on both sides of the boundary."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from neighborhoods.kernels.persistence import class_frequencies, persistence
from neighborhoods.kernels.statistics import Status, labels_of
from neighborhoods.models.precision import single_precision
from neighborhoods.studies.imagenet.adversaries import Aim, Pairs
from neighborhoods.studies.imagenet.adversaries import pairs as attacked_pairs
from neighborhoods.studies.imagenet.subjects import Subject, network, photographs
from neighborhoods.studies.persistence.chords import Chords, chords
from neighborhoods.studies.persistence.tables import frame, generator

SIGMA_MOST = 4.0
SIGMA_FLOOR = 1e-6
CLOSE = 0.01  # of the distance from the boundary, below which no persistence is expected
LOWEST = 0.01  # σ of the first level at which leading classes are counted


@dataclass(frozen=True)
class Measure:
    """How persistence is measured.

    Attributes:
        gamma: share of the noise that must keep the class.
        samples: points of the Sobol noise.
        sigma_least: where the search starts, unless a point lies close to a boundary.
    """

    gamma: float
    samples: int
    sigma_least: float


@dataclass(frozen=True)
class NaturalSpec:
    """Photographs, by their numbers, whose own persistence is measured."""

    subject: Subject
    images: tuple[int, ...]
    measure: Measure


@dataclass(frozen=True)
class PairsSpec:
    """Some adversaries of one photograph, and how they are measured.

    Attributes:
        aim: the attack.
        first, count: which of its targets.
        measure: of persistence.
        levels, draws: noise levels up to ``sigma_max``, in equal ratios, at which the leading class is
            counted, and samples at each.
    """

    aim: Aim
    first: int
    count: int
    measure: Measure
    levels: int
    draws: int
    sigma_max: float


@single_precision(tf32=False)
def naturals(spec: NaturalSpec) -> pd.DataFrame:
    """Return ``image``, ``name``, ``label`` and `tables.frame`'s columns."""
    found = photographs(spec.subject)
    rows = [
        _persistence(spec.subject, spec.measure, found.points[[image]], torch.inf).assign(
            image=image, name=found.names[image], label=int(found.labels[image])
        )
        for image in spec.images
    ]
    return pd.concat(rows, ignore_index=True)


@single_precision(tf32=False)
def pairs(spec: PairsSpec, attacked: dict[str, Tensor]) -> pd.DataFrame:
    """Return two rows for each target, the adversary and its partner; one of status "failed" for a failure.

    The adversary lies ``depth`` beyond the boundary, the photograph ``reach`` before it. Of the two the one
    that lies deeper gets a partner on its own side at the depth of the other, for both sides to be compared.

    Columns: ``target``, ``distortion``, ``depth``, ``reach``, ``cosine`` (of the way to the boundary's
    normal), ``side`` ("adversarial"; of the partner "natural partner" or "adversarial partner"), ``keeps``
    (whether both of the points compared have the class that their side has at the boundary), ``takeover``
    (the first class that leads in the adversary's place as the noise grows, -1 where none does),
    ``original`` (whether the photograph's class ever leads), and `tables.frame`'s columns.
    """
    found = attacked_pairs(spec.aim, attacked, spec.first, spec.count)
    chosen = found.success.nonzero()[:, 0]
    heads = pd.DataFrame(
        {"target": found.targets.cpu().numpy(), "distortion": found.distortion.cpu().numpy()}
    )
    failed = heads.drop(index=chosen.tolist()).assign(side="adversarial", status=Status.FAILED.name.lower())
    if not len(chosen):
        return failed.reset_index(drop=True)
    chord = chords(network(spec.aim.subject).network, found.natural[chosen], found.points[chosen])
    there = heads.loc[chosen.tolist()].reset_index(drop=True).join(_place(chord))
    own = _persistence(spec.aim.subject, spec.measure, chord.adversarial, float(chord.overshoot.min()))
    ends = there.assign(side="adversarial").join(own).join(_leaders(spec, found, chosen))
    partners = there.join(_partners(spec, chord, found.targets[chosen]))
    return pd.concat([part for part in (ends, partners, failed) if len(part)], ignore_index=True)


def _place(chord: Chords) -> pd.DataFrame:
    reach = (chord.adversarial - chord.natural).flatten(1).norm(dim=1) - chord.overshoot
    columns = {"depth": chord.overshoot, "reach": reach, "cosine": chord.cosine}
    return pd.DataFrame({name: values.cpu().numpy() for name, values in columns.items()})


def _partners(spec: PairsSpec, chord: Chords, targets: Tensor) -> pd.DataFrame:
    """Measure the point at the lesser depth on the side of the end that lies deeper."""
    reach = (chord.adversarial - chord.natural).flatten(1).norm(dim=1) - chord.overshoot
    beyond = chord.overshoot > reach
    points = chord.at(torch.where(beyond, reach, -chord.overshoot))
    label = photographs(spec.aim.subject).labels[spec.aim.image]
    wanted = torch.where(beyond, targets, chord.before)
    keeps = (labels_of(network(spec.aim.subject).network, points) == wanted) & (
        ~beyond | (chord.before == label)
    )
    side = ["adversarial partner" if far else "natural partner" for far in beyond.tolist()]
    least = float(torch.minimum(chord.overshoot, reach).min())
    measured = _persistence(spec.aim.subject, spec.measure, points, least)
    return pd.DataFrame({"side": side, "keeps": keeps.cpu().numpy()}).join(measured)


def _leaders(spec: PairsSpec, found: Pairs, chosen: Tensor) -> pd.DataFrame:
    """Say which class takes over from the adversarial one as the noise grows."""
    of = spec.aim.subject
    sigmas = torch.from_numpy(np.geomspace(LOWEST, spec.sigma_max, spec.levels))
    counts = class_frequencies(
        network(of).network,
        found.points[chosen],
        sigmas.to(found.natural),
        samples=spec.draws,
        classes=len(network(of).classes),
        generator=generator(of.seed, of.device),
    )
    leader = counts.argmax(2).cpu()
    lost = leader != found.targets[chosen, None].cpu()
    first = torch.where(lost.any(1), leader.gather(1, lost.int().argmax(1, keepdim=True))[:, 0], -1)
    label = photographs(of).labels[spec.aim.image].cpu()
    return pd.DataFrame({"takeover": first.numpy(), "original": (leader == label).any(1).numpy()})


def _persistence(of: Subject, measure: Measure, points: Tensor, depth: float) -> pd.DataFrame:
    found = persistence(
        network(of).network,
        points,
        measure.gamma,
        samples=measure.samples,
        sigma_range=(max(SIGMA_FLOOR, min(measure.sigma_least, CLOSE * depth)), SIGMA_MOST),
        generator=generator(of.seed, of.device),
    )
    return frame(found)
