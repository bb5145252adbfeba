"""Checks of cameras. NumPy only."""

import numpy as np

_TOLERANCE = 1e-3  # of R Rᵀ; files give rotations with few digits


def rotation_fault(matrix: np.ndarray) -> str | None:
    """Return what is wrong with a matrix (3, 3) that should be a rotation; None if it is one."""
    off = float(np.abs(matrix @ matrix.T - np.eye(3)).max())
    if not off < _TOLERANCE:
        return f'R Rᵀ that differs from 1 by {off:.2g}'
    return 'a reflection' if np.linalg.det(matrix) < 0 else None
