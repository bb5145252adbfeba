"""MANO's file format, on a made-up file: no file of MANO is needed or shipped."""

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.sparse import csc_matrix

from handkp_plugins.models.hand_layers import HandLayer

V = 778


def contents() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    weights = rng.random((V, 16)) ** 8
    regressor = rng.random((16, V)) * (rng.random((16, V)) > 0.98)
    return dict(
        v_template=0.05 * rng.normal(size=(V, 3)),
        shapedirs=0.01 * rng.normal(size=(V, 3, 10)),
        posedirs=0.001 * rng.normal(size=(V, 3, 135)),
        weights=weights / weights.sum(1, keepdims=True),
        J_regressor=regressor / regressor.sum(1, keepdims=True),
        hands_mean=0.2 * rng.normal(size=45),
        f=rng.integers(0, V, (1538, 3)).astype(np.uint32),
    )


class Named:
    """Pickles as an object of another package's class, made by ``copy_reg._reconstructor``, with a state."""

    def __init__(self, module: str, name: str, state: dict[str, Any]) -> None:
        self.place, self.state = f'{module}\n{name}\n', state


class Python2Pickler(pickle._Pickler):
    """Writes :class:`Named` as Python 2 writes an object of a class that is not there."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if not isinstance(obj, Named):
            super().save(obj, save_persistent_id)
            return
        self.write(b'ccopy_reg\n_reconstructor\n(c' + obj.place.encode() + b'c__builtin__\nobject\nNtR')
        super().save(obj.state)
        self.write(b'b')


def write_pickle(path: Path, data: dict[str, Any]) -> Path:
    buffer = io.BytesIO()
    Python2Pickler(buffer, 2).dump(data)
    path.write_bytes(buffer.getvalue())
    return path


def as_mano_pickles_it(data: dict[str, np.ndarray]) -> dict[str, Any]:
    sparse = csc_matrix(data['J_regressor'])
    state = dict(data=sparse.data, indices=sparse.indices, indptr=sparse.indptr, _shape=sparse.shape, format='csc')
    many = Named('chumpy.ch', 'Ch', dict(x=np.concatenate([data['shapedirs'], np.ones((V, 3, 5))], 2)))
    chosen = np.arange(V * 45).reshape(V, 3, 15)[..., :10].ravel()
    return data | dict(
        shapedirs=Named('chumpy.reordering', 'Select', dict(a=many, idxs=chosen, preferred_shape=(V, 3, 10))),
        posedirs=data['posedirs'],
        J_regressor=Named('scipy.sparse.csc', 'csc_matrix', state),
        bs_type='lrotmin',
    )


def test_the_pickle_and_an_npz_give_the_same_hand(tmp_path: Path) -> None:
    data = contents()
    np.savez(tmp_path / 'mano.npz', **data)
    layers = [
        HandLayer(write_pickle(tmp_path / 'MANO.pkl', as_mano_pickles_it(data))),
        HandLayer(tmp_path / 'mano.npz'),
    ]
    rotations = torch.linalg.qr(torch.randn(2, 16, 3, 3, generator=torch.Generator().manual_seed(0)))[0]
    rotations = rotations * torch.linalg.det(rotations)[..., None, None]
    shape = torch.ones(2, 10)
    (vertices, keypoints), others = (layer(layer.add_mean_pose(rotations), shape) for layer in layers)
    assert vertices.shape == (2, V, 3) and keypoints.shape == (2, 21, 3)
    assert torch.equal(vertices, others[0]) and torch.equal(keypoints, others[1])
    assert torch.equal(keypoints[:, 4], vertices[:, 744])  # the tip of the thumb


def test_the_mean_pose_adds_to_rotation_vectors(tmp_path: Path) -> None:
    data = contents()
    np.savez(tmp_path / 'mano.npz', **data)
    layer = HandLayer(tmp_path / 'mano.npz')
    rotations = layer.add_mean_pose(torch.eye(3).expand(1, 16, 3, 3))
    angle = np.linalg.norm(data['hands_mean'].reshape(15, 3), axis=1)
    assert np.allclose((torch.einsum('nii->n', rotations[0, 1:]).numpy() - 1) / 2, np.cos(angle), atol=1e-5)


def test_pose_corrections_are_those_of_the_rotations(tmp_path: Path) -> None:
    data = contents() | dict(weights=np.eye(16)[np.zeros(V, int)])  # all skin moves with the wrist
    np.savez(tmp_path / 'mano.npz', **data)
    rotations = torch.eye(3).repeat(1, 16, 1, 1)
    rotations[0, 3] = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    vertices, _ = HandLayer(tmp_path / 'mano.npz')(rotations, torch.zeros(1, 10))
    change = np.zeros(135)
    change[18:27] = (rotations[0, 3] - torch.eye(3)).flatten()
    assert np.allclose(vertices[0], data['v_template'] + data['posedirs'] @ change, atol=1e-6)


def test_a_pickle_that_names_anything_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'MANO.pkl'
    path.write_bytes(b'cos\nsystem\n(S"touch here"\ntR.')
    with pytest.raises(ValueError, match=r'MANO.pkl: expected a pickle of plain data, .*os.system'):
        HandLayer(path)
    code = b'S"touch here"\n'
    path.write_bytes(b'ccopy_reg\n_reconstructor\n(' + code + b'c__builtin__\nobject\nNtR.')
    with pytest.raises(ValueError, match='expected an array'):
        HandLayer(path)
    assert not (tmp_path / 'here').exists()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(weights=None), "mano.npz: expected the right hand of MANO, got a file with no 'weights'"),
        (dict(posedirs=np.zeros((V, 3, 130))), r'pose_basis: expected finite numbers of shape \(778, 3, 135\)'),
        (dict(v_template=np.full((V, 3), np.nan)), 'points: expected finite numbers'),
    ],
)
def test_bad_files_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    data = {name: value for name, value in (contents() | change).items() if value is not None}
    np.savez(tmp_path / 'mano.npz', **data)
    with pytest.raises(ValueError, match=message):
        HandLayer(tmp_path / 'mano.npz')
