"""Hands linked from frame to frame."""

import numpy as np
from scipy.optimize import linear_sum_assignment


def link_hands(costs: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Return the pairs (row, column) with the smallest sum of costs [N, M], each row and column once at most, without
    those that cost more than ``limit``."""
    rows, columns = linear_sum_assignment(costs)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if costs[i, j] <= limit]
