"""For each chapter a mistake in one function of the library that its numbers have to show."""

from typing import NamedTuple


class Mistake(NamedTuple):
    """A function of a module below `neighborhoods`, and what it returns instead of `result`."""

    module: str
    function: str
    returned: str

    @property
    def code(self) -> str:
        """What is appended to the module."""
        return (
            f"\n\n_right = {self.function}\n\n\n"
            f"def {self.function}(*arguments, **options):\n"
            f"    result = _right(*arguments, **options)\n"
            f"    return {self.returned}\n"
        )


HALF_AS_LARGE_AGAIN = Mistake(
    "kernels/persistence.py", "persistence", "result._replace(sigma=1.5 * result.sigma)"
)
CONTRIBUTIONS_TOO_LARGE = Mistake(
    "kernels/path_kernel.py", "attribution", "result._replace(contributions=1.5 * result.contributions)"
)
VALUES_TOO_LARGE = Mistake("kernels/spectra.py", "spectrum", "result._replace(values=1.5 * result.values)")
ALL_THAT_ARE_NOT = Mistake("kernels/gabriel.py", "gabriel", "result._replace(empty=~result.empty)")
REVERSED = Mistake("kernels/detection.py", "separation", "result._replace(area=1 - result.area)")
LONGER_STEPS = Mistake(
    "kernels/minimum_distortion.py",
    "minimum_distortion",
    "result._replace(distortion=1.5 * result.distortion)",
)
MISTAKES = {
    "boundary_spectra": VALUES_TOO_LARGE,
    "background": LONGER_STEPS,
    "tiny": HALF_AS_LARGE_AGAIN,
    "path_kernel": CONTRIBUTIONS_TOO_LARGE,
    "persistence": HALF_AS_LARGE_AGAIN,
    "persistence_revisited": HALF_AS_LARGE_AGAIN,
    "delaunay": ALL_THAT_ARE_NOT,
    "networks": HALF_AS_LARGE_AGAIN,
    "decision_boundaries": Mistake(
        "kernels/wedge_projection.py", "wedge_projection", "result._replace(point=1.05 * result.point)"
    ),
    "imagenet": HALF_AS_LARGE_AGAIN,
    "path_kernel_uses": REVERSED,
    "weight_space": Mistake(
        "studies/weight_space/paths.py", "shape", "result._replace(off=1.5 * result.off)"
    ),
    "robust_networks": HALF_AS_LARGE_AGAIN,
}
