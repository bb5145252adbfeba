"""A rig's mesh and joints in the palm's frame of a right hand, whatever its file's units, axes and side are."""

from dataclasses import dataclass, replace

import numpy as np

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS, PARENTS

from ..hand.kinematics import hand_keypoints
from ..hand.shape import MEAN_ROOTS, HandShape
from ..hand.surface import merge_points, split_triangles, subdivide
from ..poses.gestures import GESTURES
from .gltf import SkinnedMesh
from .joints import CHAINS, OPTIONAL

RIG_BONES: tuple[str, ...] = (
    'palm',
    *(f'{finger}_metacarpal' for finger in LONG_FINGERS),
    *(f'{finger}_{i}' for finger in FINGERS for i in range(3)),
)
BONE_INDEX = {name: i for i, name in enumerate(RIG_BONES)}
_BONE_OF_ROLE = {role: role for role in OPTIONAL} | {  # the bone that starts at a joint
    role: f'{finger}_{min(i, 2)}' for finger, chain in CHAINS.items() for i, role in enumerate(chain)
}
_VERTICES = 12_000  # refined until there are at least so many
_MERGE_WITHIN = 1e-5  # metres, once the hand has its size
_LEAST_BONE = 0.01  # of the hand's extent
_FARTHEST = 5.0  # metres, once the hand has its size
# the wrist of rigs is nearer to the elbow than annotators mark it: by this share of the way to the middle knuckle
_WRIST_SHARE = 0.1


@dataclass(frozen=True)
class RiggedMesh:
    """A rig in the palm's frame of a right hand, metres, at its own rest pose."""

    points: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3)
    weights: np.ndarray  # (V, B) by :data:`RIG_BONES`
    joints: dict[str, np.ndarray]  # (3,) by role
    corner_uv: np.ndarray | None  # (F, 3, 2) places in the texture


def to_palm_frame(mesh: SkinnedMesh, roles: dict[str, int]) -> RiggedMesh:
    """Scale, rotate and, if it is a left hand, mirror a rig; joints without a role become part of the palm."""
    chain = ['wrist', *(role for roles_of_finger in CHAINS.values() for role in roles_of_finger)]
    joints = {role: mesh.joints[i, :3, 3] for role, i in roles.items()}
    theirs = np.stack([joints[role] for role in chain])
    for child, parent in enumerate(PARENTS[1:], start=1):
        if np.linalg.norm(theirs[child] - theirs[parent]) <= _LEAST_BONE * np.ptp(theirs):
            raise ValueError(f'joints {chain[parent]} and {chain[child]} lie at one place')
    # a bent hand is not its own mirror image: the better fit tells left from right
    bent = hand_keypoints(GESTURES['relaxed'].angles, HandShape())
    is_left = _similarity(theirs, bent, mirrored=True)[1] < _similarity(theirs, bent, mirrored=False)[1]
    palm = [0, 1, 5, 9, 13, 17]
    matrix, _ = _similarity(theirs[palm], np.concatenate([np.zeros((1, 3)), MEAN_ROOTS]), is_left)
    joints['wrist'] = joints['wrist'] + _WRIST_SHARE * (joints['middle_mcp'] - joints['wrist'])

    weights = np.zeros((len(mesh.points), len(RIG_BONES)))
    bone = {i: _BONE_OF_ROLE.get(role, 'palm') for role, i in roles.items()}
    for i in range(len(mesh.joint_names)):
        weights[:, BONE_INDEX[bone.get(i, 'palm')]] += mesh.weights[:, i]
    points = _apply(matrix, mesh.points)
    if np.abs(points).max() > _FARTHEST:
        raise ValueError(f'a point of its mesh lies {np.abs(points).max():.3g} m away from its joints')
    ids, first, solid = merge_points(points, mesh.faces, _MERGE_WITHIN)
    faces = ids[mesh.faces][solid]
    if not len(faces):
        raise ValueError('no triangle of its mesh has an area')
    corner_uv = None if mesh.uv is None else mesh.uv[mesh.faces[solid]].astype(np.float32)
    if is_left:
        faces = faces[:, ::-1]
        corner_uv = None if corner_uv is None else corner_uv[:, ::-1]
    joints = {role: _apply(matrix, point) for role, point in joints.items()}
    return RiggedMesh(points[first], faces, weights[first], joints, corner_uv)


def _similarity(source: np.ndarray, target: np.ndarray, mirrored: bool) -> tuple[np.ndarray, float]:
    """(3, 4) matrix that brings points (N, 3) nearest to others by rotation, scale and translation, and the error left.

    Source: Umeyama, *Least-squares estimation of transformation parameters between two point patterns*, 1991.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a)
    signs = np.ones(3)
    if (np.linalg.det(u @ vt) < 0) != mirrored:
        signs[2] = -1
    linear = (u * signs) @ vt * ((s * signs).sum() / (a**2).sum())
    error = np.sqrt((((a @ linear.T) - b) ** 2).sum(1).mean())
    return np.concatenate([linear, (target.mean(0) - linear @ source.mean(0))[:, None]], 1), float(error)


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:, :3].T + matrix[:, 3]


def refine(rig: RiggedMesh) -> RiggedMesh:
    """Subdivide until there are enough vertices for smooth colours and outlines."""
    while len(rig.points) < _VERTICES:
        matrix, faces = subdivide(rig.faces, len(rig.points))
        uv = rig.corner_uv
        if uv is not None:
            uv = split_triangles(uv, 0.5 * (uv + np.roll(uv, -1, axis=1)))
        rig = replace(rig, points=matrix @ rig.points, weights=matrix @ rig.weights, faces=faces, corner_uv=uv)
    return rig
