"""Sizes of the experiments: one code path, only numbers differ between smoke, quick and paper."""

from neighborhoods.profiles.background_sizes import BACKGROUND, BackgroundSpec, background
from neighborhoods.profiles.boundary_spectra_sizes import (
    BOUNDARY_SPECTRA,
    BoundarySpectraSpec,
    boundary_spectra,
)
from neighborhoods.profiles.decision_boundaries_sizes import (
    DECISION_BOUNDARIES,
    DecisionBoundariesSpec,
    decision_boundaries,
)
from neighborhoods.profiles.delaunay_sizes import DELAUNAY, DelaunaySpec, delaunay
from neighborhoods.profiles.imagenet_sizes import IMAGENET, METHODS, ImagenetSpec, imagenet
from neighborhoods.profiles.networks_sizes import FULLY_CONNECTED, NETWORKS, NetworksSpec, networks
from neighborhoods.profiles.path_kernel_sizes import PATH_KERNEL, PathKernelSpec, path_kernel
from neighborhoods.profiles.path_kernel_uses_sizes import (
    PATH_KERNEL_USES,
    PathKernelUsesSpec,
    path_kernel_uses,
)
from neighborhoods.profiles.persistence_revisited_sizes import (
    PERSISTENCE_REVISITED,
    PersistenceRevisitedSpec,
    persistence_revisited,
)
from neighborhoods.profiles.persistence_sizes import PERSISTENCE, PersistenceSpec, persistence
from neighborhoods.profiles.robust_networks_sizes import (
    ROBUST_NETWORKS,
    RobustNetworksSpec,
    robust_networks,
)
from neighborhoods.profiles.weight_space_sizes import WEIGHT_SPACE, WeightSpaceSpec, weight_space

__all__ = [
    "BACKGROUND",
    "BOUNDARY_SPECTRA",
    "DECISION_BOUNDARIES",
    "DELAUNAY",
    "FULLY_CONNECTED",
    "IMAGENET",
    "METHODS",
    "NETWORKS",
    "PATH_KERNEL",
    "PATH_KERNEL_USES",
    "PERSISTENCE",
    "PERSISTENCE_REVISITED",
    "ROBUST_NETWORKS",
    "WEIGHT_SPACE",
    "BackgroundSpec",
    "BoundarySpectraSpec",
    "DecisionBoundariesSpec",
    "DelaunaySpec",
    "ImagenetSpec",
    "NetworksSpec",
    "PathKernelSpec",
    "PathKernelUsesSpec",
    "PersistenceRevisitedSpec",
    "PersistenceSpec",
    "RobustNetworksSpec",
    "WeightSpaceSpec",
    "background",
    "boundary_spectra",
    "decision_boundaries",
    "delaunay",
    "imagenet",
    "networks",
    "path_kernel",
    "path_kernel_uses",
    "persistence",
    "persistence_revisited",
    "robust_networks",
    "weight_space",
]
