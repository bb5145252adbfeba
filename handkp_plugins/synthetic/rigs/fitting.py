"""Brings a rig to the bones of the mean hand, so that it can become a :class:`HandTemplate`.

The mesh is skinned once by the rig's own weights, from the rig's bones to ours at rest. Then it has our bone lengths
and straight fingers, whatever its own rest pose was, and poses, shapes, keypoints and collision spheres of the
procedural hand fit it. Its flesh stays its own.
"""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from handkp_plugins.structures.skeleton import FINGERS, LONG_FINGERS

from ..hand.kinematics import FINGER_ROLL, FRAME_INDEX, joint_frames, normalize
from ..hand.shape import MEAN_ROOTS, MEAN_SEGMENTS, HandShape
from ..hand.template import REST_POSE, blend_into_forearm, palm_weights, smooth_weights
from .joints import CHAINS
from .mesh import BONE_INDEX, RIG_BONES, RiggedMesh

_WEIGHT_SMOOTHING = 4
_OWN = 0.9  # weight from which a point counts as a bone's own
_SLAB = 0.1  # half the thickness, in lengths of the bone before it, of the slice around a joint that gives its middle


def _bone_ends(joints: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    ends = {f'{f}_metacarpal': (joints['wrist'], joints[f'{f}_mcp']) for f in LONG_FINGERS}
    for finger, chain in CHAINS.items():
        ends |= {f'{finger}_{i}': (joints[chain[i]], joints[chain[i + 1]]) for i in range(3)}
    return ends


def _frame(start: np.ndarray, end: np.ndarray, dorsal: np.ndarray) -> np.ndarray:
    along = (end - start) / np.linalg.norm(end - start)
    across = np.cross(along, dorsal)
    across /= np.linalg.norm(across)
    frame = np.eye(4)
    frame[:3, :3], frame[:3, 3] = np.stack([across, along, np.cross(across, along)], 1), start
    return frame


def _dorsal_references(rig: RiggedMesh) -> dict[str, np.ndarray]:
    """Direction roughly out of the back of each bone of a rig at rest."""
    up = np.array([0.0, 0, 1])
    references = {f'{f}_metacarpal': up for f in LONG_FINGERS}
    for finger, roll in zip(LONG_FINGERS, FINGER_ROLL, strict=True):
        references |= {f'{finger}_{i}': Rotation.from_euler('y', roll).apply(up) for i in range(3)}
    thumb = _flat_side(rig, 'thumb_2')
    return references | {f'thumb_{i}': thumb for i in range(3)}


def _flat_side(rig: RiggedMesh, bone: str) -> np.ndarray:
    """Direction in which an end segment is thinnest: out of its nail."""
    start, end = _bone_ends(rig.joints)[bone]
    expected = joint_frames(REST_POSE.angles, HandShape())[FRAME_INDEX[bone]][:3, 2]
    frame = _frame(start, end, expected)
    local = ((rig.points[rig.weights[:, BONE_INDEX[bone]] > _OWN] - start) @ frame[:3, :3])[:, [0, 2]]
    _, _, axes = np.linalg.svd(local - local.mean(0), full_matrices=False)
    thin = axes[1] * np.sign(axes[1, 1])
    return frame[:3, [0, 2]] @ thin


def straighten(rig: RiggedMesh) -> RiggedMesh:
    """Bring a rig to our bones at :data:`REST_POSE` by linear blend skinning with its own weights."""
    for finger in FINGERS:
        if (rig.weights[:, BONE_INDEX[f'{finger}_2']] > _OWN).sum() < 3:
            raise ValueError(f'no part of the mesh follows the end bone of the {finger}')
    frames = joint_frames(REST_POSE.angles, HandShape())
    rig = _center_joints(rig)
    theirs, references = _bone_ends(rig.joints), _dorsal_references(rig)
    transforms = np.zeros((len(RIG_BONES), 4, 4))
    for bone, (start, end) in theirs.items():
        finger, _, part = bone.partition('_')
        length = np.linalg.norm(end - start)
        if part == 'metacarpal':
            i = LONG_FINGERS.index(finger) + 1
            ours, goal = _frame(np.zeros(3), MEAN_ROOTS[i], np.array([0.0, 0, 1])), np.linalg.norm(MEAN_ROOTS[i])
        else:
            ours, goal = frames[FRAME_INDEX[bone]], MEAN_SEGMENTS[FINGERS.index(finger), int(part)]
            if part == '2':  # to the end of the flesh
                own = rig.points[rig.weights[:, BONE_INDEX[bone]] > _OWN]
                length = float(((own - start) @ normalize((end - start)[None])[0]).max())
        scale = np.diag([1.0, goal / length, 1.0, 1.0])
        transforms[BONE_INDEX[bone]] = ours @ scale @ np.linalg.inv(_frame(start, end, references[bone]))
    transforms[0] = transforms[[BONE_INDEX[f'{f}_metacarpal'] for f in LONG_FINGERS]].mean(0)
    blend = np.einsum('vb,bij->vij', rig.weights, transforms[:, :3])
    return replace(rig, points=np.einsum('vij,vj->vi', blend[:, :, :3], rig.points) + blend[:, :, 3])


def _center_joints(rig: RiggedMesh) -> RiggedMesh:
    """Move the fingers' outer joints to the middle of the flesh: some rigs' are half a centimetre off."""
    joints, references = dict(rig.joints), _dorsal_references(rig)
    for finger, chain in CHAINS.items():
        own = rig.points[rig.weights[:, [BONE_INDEX[f'{finger}_{i}'] for i in range(3)]].sum(1) > 0.5]
        for i in (2, 3) if finger == 'thumb' else (1, 2, 3):
            near, here, far = (rig.joints[chain[min(k, 3)]] for k in (i - 1, i, i + 1))
            frame = _frame(near, far, references[f'{finger}_{min(i, 2)}'])[:3, :3]
            local = (own - here) @ frame
            slab = local[np.abs(local[:, 1]) < _SLAB * np.linalg.norm(here - near)]
            if len(slab):
                middle = 0.5 * (slab.min(0) + slab.max(0))
                joints[chain[i]] = here + frame[:, [0, 2]] @ middle[[0, 2]]
    return replace(rig, joints=joints)


def frame_weights(weights: np.ndarray, points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Weights (V, 35) of our frames from those of the rig's bones (V, B).

    The palm's share is split by place, as in our own template, since few rigs have metacarpals that move. What two
    bones of a finger share goes to the half-rotated frame between them, so that bent joints do not collapse.
    """
    palm = [BONE_INDEX[bone] for bone in ('palm', *(f'{finger}_metacarpal' for finger in LONG_FINGERS))]
    out = weights[:, palm].sum(1)[:, None] * palm_weights(1e3 * points)
    bases = {'ring': 'ring_metacarpal', 'little': 'little_metacarpal'}
    for finger in FINGERS:
        chain = [bases.get(finger, 'palm'), *(f'{finger}_{i}' for i in range(3))]
        for bone in chain[1:]:
            out[:, FRAME_INDEX[bone]] = weights[:, BONE_INDEX[bone]]
        for near, far in zip(chain, chain[1:], strict=False):
            shared = np.minimum(out[:, FRAME_INDEX[near]], out[:, FRAME_INDEX[far]])
            out[:, FRAME_INDEX[near]] -= shared
            out[:, FRAME_INDEX[far]] -= shared
            out[:, FRAME_INDEX[f'{far}_half']] += 2 * shared
    blend_into_forearm(out, 1e3 * points[:, 1])
    return smooth_weights(out, faces, _WEIGHT_SMOOTHING)
