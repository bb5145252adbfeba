"""A small rigged hand of tubes as a glTF file, for tests of what reads and poses rigs."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGERS
from handkp_plugins.synthetic.hand.kinematics import FRAME_INDEX, joint_frames
from handkp_plugins.synthetic.hand.pose import HandPose
from handkp_plugins.synthetic.hand.shape import MEAN_SEGMENTS, HandShape
from handkp_plugins.synthetic.rigs.joints import CHAINS, RIG_KINDS

RADIUS = 0.008
TIP_DEPTH = 0.009
"""Metres from a tip's joint to the end of its tube."""
ROOT_DEPTH = 0.012
"""Metres that a finger's tube goes on beyond its root, into the palm."""
_AROUND = 10
_REST = HandPose.of(
    index_pip=25, index_abd=8, middle_pip=20, middle_dip=10, ring_mcp=10, ring_abd=6, little_pip=15, little_abd=14
)
"""The rig's own rest pose: neither straight nor ours."""


def tube_hand(
    handedness: str = 'right', kind: str = 'Godot XR Tools', textured: bool = False, bumpy: bool = False
) -> dict[str, Any]:
    """The glTF document of a hand of tubes, turned, moved and in centimetres, its joints' axes at random.

    ``bumpy`` gives it a normal map that leans to the right of the texture, around each tube.
    """
    joints = _joints()
    roles = list(joints)
    points, faces, weights = _mesh(joints, roles)
    matrix = 100 * Rotation.from_rotvec(1.1 * np.array([0.6, 0.0, 0.8])).as_matrix()
    places = np.stack(list(joints.values()))
    if handedness == 'left':
        matrix, faces = matrix @ np.diag([-1.0, 1, 1]), faces[:, ::-1]
    points, places = points @ matrix.T + [3, -20, 8], places @ matrix.T + [3, -20, 8]
    rng = np.random.default_rng(0)
    bind = np.tile(np.eye(4), (len(roles), 1, 1))
    for frame, place in zip(bind, places, strict=True):
        axis = rng.normal(size=3)
        axis *= rng.uniform(0, 3) / np.linalg.norm(axis)
        frame[:3, :3], frame[:3, 3] = Rotation.from_rotvec(axis).as_matrix(), place
    names = next(k for k in RIG_KINDS if k.name == kind).joints
    order = np.argsort(-weights, axis=1)[:, :4]
    return _document(
        [names[role].replace('{side}', handedness[0].upper()) for role in roles],
        {
            'POSITION': points.astype('<f4'),
            'TEXCOORD_0': _texture_places(len(points)).astype('<f4'),
            'JOINTS_0': order.astype('<u1'),
            'WEIGHTS_0': np.take_along_axis(weights, order, 1).astype('<f4'),
        },
        faces.astype('<u2'),
        np.linalg.inv(bind).transpose(0, 2, 1).astype('<f4'),
        {
            'baseColorTexture': _address(_stripes()) if textured else None,
            'normalTexture': _address(np.full((8, 8, 3), (230, 128, 204), np.uint8)) if bumpy else None,
        },
    )


def write_tube_hand(path: Path, **options: Any) -> Path:
    """Write it as ``.gltf``; see :func:`tube_hand`."""
    path.write_text(json.dumps(tube_hand(**options)))
    return path


def _joints() -> dict[str, np.ndarray]:
    frames = joint_frames(_REST.angles, HandShape())
    joints = {'wrist': np.array([0.0, -0.009, 0.0])}
    for i, finger in enumerate(FINGERS):
        bones = [frames[FRAME_INDEX[f'{finger}_{j}']] for j in range(3)]
        chain = [bone[:3, 3] for bone in bones]
        chain.append(chain[2] + bones[2][:3, 1] * (MEAN_SEGMENTS[i, 2] - TIP_DEPTH))
        if finger != 'thumb':
            joints[f'{finger}_metacarpal'] = 0.25 * chain[0]
        joints |= dict(zip(CHAINS[finger], chain, strict=True))
    return joints


def _mesh(joints: dict[str, np.ndarray], roles: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A flat tube for the palm and a round one for each finger: points, faces, weights (V, J)."""
    parts = []
    palm = np.array([[0.002, y, -0.002] for y in (-0.03, -0.02, -0.01, 0, 0.02, 0.04, 0.06, 0.08, 0.1)])
    parts.append(_tube(palm, [{'wrist': 1.0}] * len(palm), (0.034, 0.012), roles))
    for finger in FINGERS:
        names = CHAINS[finger]
        chain = [joints[name] for name in names]
        last = chain[3] - chain[2]
        chain[3] = chain[3] + TIP_DEPTH * last / np.linalg.norm(last)
        first = chain[1] - chain[0]
        rings, shares = [chain[0] - ROOT_DEPTH * first / np.linalg.norm(first)], [{'wrist': 1.0}]
        for i in range(3):
            for share in (0.0, 0.25, 0.5, 0.75):
                rings.append(chain[i] + share * (chain[i + 1] - chain[i]))
                before = names[i - 1] if i else 'wrist'
                shares.append({before: 0.5, names[i]: 0.5} if share == 0 else {names[i]: 1.0})
        rings.append(chain[3])
        shares.append({names[2]: 1.0})
        parts.append(_tube(np.stack(rings), shares, (RADIUS, RADIUS), roles))
    starts = np.cumsum([0, *(len(points) for points, _, _ in parts)])
    return (
        np.concatenate([points for points, _, _ in parts]),
        np.concatenate([faces + start for (_, faces, _), start in zip(parts, starts, strict=False)]),
        np.concatenate([weights for _, _, weights in parts]),
    )


def _tube(
    line: np.ndarray, shares: list[dict[str, float]], radii: tuple[float, float], roles: list[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A closed tube along a line (N, 3): one ring a point, and a point in the middle of either end."""
    angle = np.arange(_AROUND) * 2 * np.pi / _AROUND
    along = (line[-1] - line[0]) / np.linalg.norm(line[-1] - line[0])
    across = np.cross(along, [0.0, 0, 1])
    across /= np.linalg.norm(across)
    ring = radii[0] * np.cos(angle)[:, None] * across + radii[1] * np.sin(angle)[:, None] * np.cross(across, along)
    points = np.concatenate([(line[:, None] + ring).reshape(-1, 3), line[[0, -1]]])
    ids = np.arange(len(line) * _AROUND).reshape(-1, _AROUND)
    a, b = ids[:-1], ids[1:]
    a_next, b_next = np.roll(a, -1, axis=1), np.roll(b, -1, axis=1)
    first, last = ids.size, ids.size + 1
    faces = [
        np.stack([a, b, a_next], -1).reshape(-1, 3),
        np.stack([a_next, b, b_next], -1).reshape(-1, 3),
        np.stack([np.full(_AROUND, first), ids[0], np.roll(ids[0], -1)], -1),
        np.stack([np.full(_AROUND, last), np.roll(ids[-1], -1), ids[-1]], -1),
    ]
    rows = np.array([[share.get(role, 0.0) for role in roles] for share in shares])
    weights = np.concatenate([np.repeat(rows, _AROUND, axis=0), rows[[0, -1]]])
    return points, np.concatenate(faces), weights


def _texture_places(count: int) -> np.ndarray:
    ring, step = np.divmod(np.arange(count), _AROUND)
    return np.stack([step / _AROUND, ring * _AROUND / count], axis=1)


def _stripes() -> np.ndarray:
    image = np.full((8, 40, 3), 200, np.uint8)
    image[:, ::8] = 60
    return image


def _address(image: np.ndarray) -> str:
    """An RGB image as an address that holds it."""
    data = cv2.imencode('.png', image[:, :, ::-1])[1].tobytes()
    return 'data:image/png;base64,' + base64.b64encode(data).decode()


def _document(
    names: list[str],
    attributes: dict[str, np.ndarray],
    faces: np.ndarray,
    bind: np.ndarray,
    images: dict[str, str | None],
) -> dict[str, Any]:
    arrays = [*attributes.values(), faces.reshape(-1, 1), bind.reshape(-1, 16)]
    types = {1: 'SCALAR', 2: 'VEC2', 3: 'VEC3', 4: 'VEC4', 16: 'MAT4'}
    codes = {'<f4': 5126, '<u2': 5123, '|u1': 5121}
    blob, views = b'', []
    for array in arrays:
        blob += b'\0' * (-len(blob) % 4)
        views.append({'buffer': 0, 'byteOffset': len(blob), 'byteLength': array.nbytes})
        blob += array.tobytes()
    n = len(attributes)
    document = {
        'asset': {'version': '2.0'},
        'nodes': [{'name': name} for name in names] + [{'mesh': 0, 'skin': 0}],
        'skins': [{'joints': list(range(len(names))), 'inverseBindMatrices': n + 1}],
        'meshes': [{'primitives': [{'attributes': {key: i for i, key in enumerate(attributes)}, 'indices': n}]}],
        'accessors': [
            {
                'bufferView': i,
                'count': len(array),
                'type': types[array.shape[1]],
                'componentType': codes[array.dtype.str],
            }
            for i, array in enumerate(arrays)
        ],
        'bufferViews': views,
        'buffers': [
            {
                'byteLength': len(blob),
                'uri': 'data:application/octet-stream;base64,' + base64.b64encode(blob).decode(),
            }
        ],
    }
    used = {key: address for key, address in images.items() if address is not None}
    if used:
        entries = {key: {'index': i} for i, key in enumerate(used)}
        base = entries.pop('baseColorTexture', None)
        document['meshes'][0]['primitives'][0]['material'] = 0
        document['materials'] = [{'pbrMetallicRoughness': {'baseColorTexture': base} if base else {}, **entries}]
        document['textures'] = [{'source': i} for i in range(len(used))]
        document['images'] = [{'uri': address} for address in used.values()]
    return document
