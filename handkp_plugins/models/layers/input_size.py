"""Check of a network's input size."""

from collections.abc import Sequence


def check_input_size(size: Sequence[int], stride: int) -> None:
    """Raise ValueError unless ``stride`` divides height and width, the last two of ``size``."""
    sizes = size[-2:]
    if any(n % stride for n in sizes):
        near = [' or '.join(str(m) for m in sorted({n - n % stride, n + -n % stride} - {0})) for n in sizes]
        raise ValueError(
            f'input size: expected multiples of the largest stride {stride}, '
            f'got {sizes[1]}×{sizes[0]} (width×height); nearest: width {near[1]}, height {near[0]}'
        )
