"""MANO's file: what its pickle names, and the arrays of a hand model that it holds.

MANO (Romero et al., Embodied Hands, 2017) is given out on request at https://mano.is.tue.mpg.de and never shipped here.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from handkp_plugins.fileio.restricted_pickle import StandIn, restore

TIPS = (744, 320, 443, 555, 672)
"""Vertices of the tips, thumb to little finger, as FreiHAND labels them; HaMuCo's code has 745, 317, 445, 556, 673."""
_ORDER = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]
"""Where each of our keypoints stands among MANO's 16 joints and 5 tips."""


class _State(StandIn):
    state: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.state = state

    def get(self, name: str) -> Any:
        return restore(self.state[name])


class _Ch(_State):
    """Stands for ``chumpy.ch.Ch``, an array."""

    def restore(self) -> np.ndarray:
        return self.get('x')


class _Select(_State):
    """Stands for ``chumpy.reordering.Select``, chosen entries of an array."""

    def restore(self) -> np.ndarray:
        return np.asarray(self.get('a')).ravel()[self.get('idxs')].reshape(self.get('preferred_shape'))


class _Csc(_State):
    """Stands for SciPy's ``csc_matrix``; a dense array takes its place."""

    def restore(self) -> np.ndarray:
        from scipy.sparse import csc_matrix

        return csc_matrix((self.get('data'), self.get('indices'), self.get('indptr')), self.get('_shape')).toarray()


def _reconstruct(cls: type, base: type, state: Any) -> StandIn:
    """Stands for ``copyreg._reconstructor``, by which old protocols make an object; only stand-ins are made."""
    if not (isinstance(cls, type) and issubclass(cls, StandIn)):
        raise ValueError(f'expected an array, got {cls!r}')
    return cls()


class _Object:
    """Stands for ``builtins.object``, the base that old protocols name."""


MANO_STAND_INS = {
    'chumpy.ch.Ch': _Ch,
    'chumpy.reordering.Select': _Select,
    'scipy.sparse.csc.csc_matrix': _Csc,
    'scipy.sparse._csc.csc_matrix': _Csc,
    # by Python 2's names and by those of Python 3
    'copy_reg._reconstructor': _reconstruct,
    'copyreg._reconstructor': _reconstruct,
    '__builtin__.object': _Object,
    'builtins.object': _Object,
}
"""What a MANO pickle may name beside plain arrays."""


def mano_arrays(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of :class:`HandArrays` from the entries of a MANO file.

    Keypoints are MANO's regressed joints and five vertices (:data:`TIPS`), in our order. Raises KeyError if an entry
    is missing.
    """
    names = ('v_template', 'shapedirs', 'posedirs', 'weights', 'J_regressor', 'hands_mean')
    points, shapes, poses, weights, regressor, mean = (np.asarray(data[name], np.float64) for name in names)
    tips = np.zeros((len(TIPS), len(points)))
    tips[range(len(TIPS)), list(TIPS)] = 1
    return dict(
        points=points,
        shape_basis=shapes[..., :10],
        pose_basis=poses,
        weights=weights,
        joints=regressor @ points,
        joint_basis=np.einsum('jp,pcs->jcs', regressor, shapes[..., :10]),
        keypoints=np.concatenate([regressor, tips])[_ORDER],
        faces=np.asarray(data['f'], np.int64),
        mean_pose=mean.reshape(-1, 3),
        num_vertices=len(points),
        adds_vectors=True,
    )
