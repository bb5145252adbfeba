"""Hands linked from frame to frame."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def link_hands(costs: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Return the pairs (row, column) with the smallest sum of costs: each row and column once at most.

    Args:
        costs: [N, M], of N hands in one frame and M in another.
        limit: Pairs that cost more are left out.
    """
    rows, columns = linear_sum_assignment(costs)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if costs[i, j] <= limit]
