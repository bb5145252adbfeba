"""Which matrices are rotations."""

import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.cameras import rotation_fault


def test_rotations_and_others() -> None:
    turn = Rotation.from_euler('xyz', [0.3, -1, 2]).as_matrix()
    assert rotation_fault(turn) is None and rotation_fault(turn.round(4)) is None
    assert rotation_fault(turn @ np.diag([1, 1, -1])) == 'a reflection'
    assert rotation_fault(2 * turn) == 'R Rᵀ that differs from 1 by 3'
    assert rotation_fault(np.full((3, 3), np.nan)) == 'R Rᵀ that differs from 1 by nan'
