"""The resting mean hand as a triangle mesh with skinning weights and a description of each point of the skin.

Built once per process (about two seconds) from the implicit solid; every shape and pose deforms this one mesh.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from skimage.measure import marching_cubes

from handkp_plugins.structures.skeleton import FINGERS

from .implicit import finger_coordinates, hand_distance, place_along, round_cone
from .kinematics import FRAME_INDEX, joint_frames, normalize
from .pose import HandPose
from .shape import MEAN_SEGMENTS, HandShape
from .surface import neighbour_mean

REST_POSE = HandPose.of(index_abd=10, ring_abd=8, little_abd=19)
"""Fingers spread, so that the resting solid does not fuse them."""

_LOW, _HIGH = np.array([-106.0, -464.0, -66.0]), np.array([78.0, 218.0, 48.0])  # box around the resting hand, mm
FINE_STEP = 1.5
"""Millimetres from point to point of the skin."""
_WEIGHT_SMOOTHING = 8  # rounds at the fine step
_LEAST_WEIGHT = 1e-3


@dataclass(frozen=True)
class HandTemplate:
    """A right hand at :data:`REST_POSE` in the palm's frame: V points, F triangles, B = 35 frames."""

    vertices: np.ndarray  # (V, 3) metres
    normals: np.ndarray  # (V, 3) unit, outward
    faces: np.ndarray  # (F, 3) vertex ids, counter-clockwise seen from outside
    weights: np.ndarray  # (V, B) of skinning; each row sums to 1
    rest_frames: np.ndarray  # (B, 4, 4)
    finger: np.ndarray  # (V,) 0 thumb … 4 little finger, -1 palm and arm
    place: np.ndarray  # (V,) along that finger, in segments from its root (0) to the end of its flesh (3)


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise smoothly from 0 below ``low`` to 1 above ``high``."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


@lru_cache(maxsize=2)
def hand_template(step: float = FINE_STEP) -> HandTemplate:
    """Build the template of a step on first use; later calls return the same one."""
    frames = joint_frames(REST_POSE.angles, HandShape())
    points, faces = _mesh(frames, step)
    *_, membership = _finger_attributes(points, frames)
    rounds = max(1, round(_WEIGHT_SMOOTHING * (FINE_STEP / step) ** 2))
    weights = smooth_weights(_weights(points, frames, membership), faces, rounds)
    return make_template(1e-3 * points, faces, weights)


def make_template(points: np.ndarray, faces: np.ndarray, weights: np.ndarray) -> HandTemplate:
    """Make a template from points (V, 3) in metres at :data:`REST_POSE`, faces and weights (V, B) of our frames."""
    frames = joint_frames(REST_POSE.angles, HandShape())
    finger, place, _ = _finger_attributes(1e3 * points, frames)
    return HandTemplate(
        vertices=points.astype(np.float32),
        normals=vertex_normals(points, faces).astype(np.float32),
        faces=faces.astype(np.int32),
        weights=weights.astype(np.float32),
        rest_frames=frames,
        finger=finger,
        place=place.astype(np.float32),
    )


def _mesh(frames: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Surface of the resting solid, points in mm and triangles, from a grid that grows coarser along the forearm."""
    x, z = (np.arange(_LOW[i], _HIGH[i], step) for i in (0, 2))
    y = np.concatenate([np.arange(_LOW[1], -120, 12.0), np.arange(-120, -36, 5.0), np.arange(-36, _HIGH[1], step)])
    grid = np.stack(np.meshgrid(x, y, z, indexing='ij'), axis=-1).astype(np.float32)
    values = hand_distance(grid.reshape(-1, 3), frames).reshape(grid.shape[:3])
    points, faces, _, _ = marching_cubes(values, 0.0, gradient_direction='descent')
    points = np.stack([np.interp(points[:, i], np.arange(len(axis)), axis) for i, axis in enumerate((x, y, z))], axis=1)
    return _largest_part(points, faces)


def _largest_part(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = faces[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(len(points),) * 2)
    _, label = connected_components(graph, directed=False)
    keep = label == np.bincount(label).argmax()
    renumber = np.cumsum(keep) - 1
    return points[keep], renumber[faces[keep[faces[:, 0]]]]


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3): area-weighted means over the triangles around each vertex."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    face_normals = np.cross(b - a, c - a)
    normals = np.zeros_like(points)
    for i in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(faces[:, i], face_normals[:, axis], len(points))
    return normalize(normals)


def _finger_attributes(points: np.ndarray, frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The finger and place of :class:`HandTemplate`, and soft memberships (V, 5) of thumb … little finger."""
    local = np.stack([finger_coordinates(points, frames[FRAME_INDEX[f'{name}_0']]) for name in FINGERS], axis=1)
    across, along, dorsal = np.moveaxis(local, -1, 0)  # (V, 5) each
    outside = np.maximum(np.maximum(-along, along - 1e3 * MEAN_SEGMENTS.sum(1)), 0.0)
    relative = np.sqrt(across**2 + dorsal**2 + outside**2) - np.array([10.5, 9.5, 9.5, 9.0, 8.0])
    soft = np.exp(-relative[:, 1:] / 1.8)
    # the thumb takes its ball and web from the palm gradually
    palm_line = np.minimum.reduce([round_cone(points, *line, 0, 0) for line in _PALM_LINES])
    thumb_share = smoothstep(palm_line - 13.0 - relative[:, 0], -14.0, 12.0)
    membership = np.column_stack([thumb_share, (1 - thumb_share[:, None]) * soft / soft.sum(1, keepdims=True)])
    nearest = membership.argmax(1)
    place = np.choose(nearest, [place_along(along[:, i], name) for i, name in enumerate(FINGERS)])
    far = (place < np.where(nearest == 0, 0.6, 0.3)) | (membership.max(1) < 0.5)
    return np.where(far, -1, nearest), place, membership


_PALM_LINES = [((-6, 5, -2), (-22, 92, -2)), ((2, 5, -4), (0, 80, -4)), ((0, -250, 0), (-4, 5, -2))]


def _weights(points: np.ndarray, frames: np.ndarray, membership: np.ndarray) -> np.ndarray:
    """Skinning weights (V, B) before smoothing: along each finger, then by membership, then palm and forearm."""
    weights = np.zeros((len(points), len(FRAME_INDEX)))
    body = palm_weights(points)
    blend_into_forearm(body, points[:, 1])

    for i, name in enumerate(FINGERS):
        along = finger_coordinates(points, frames[FRAME_INDEX[f'{name}_0']])[:, 1]
        joints = np.concatenate([[0.0], np.cumsum(1e3 * MEAN_SEGMENTS[i])[:2]])
        spans = _THUMB_SPANS if name == 'thumb' else _FINGER_SPANS
        left = membership[:, i]
        for j in reversed(range(3)):
            before, inner, after = spans[j]
            full = smoothstep(along, joints[j] + inner, joints[j] + after)
            start = smoothstep(along, joints[j] - before, joints[j] + inner)
            weights[:, FRAME_INDEX[f'{name}_{j}']] += left * full
            weights[:, FRAME_INDEX[f'{name}_{j}_half']] += left * (start - full * start)
            left = left * (1 - full) * (1 - start + full * start)
        weights += left[:, None] * body
    return weights / weights.sum(1, keepdims=True)


def palm_weights(points: np.ndarray) -> np.ndarray:
    """Weights (V, B) of points (V, 3) in mm as if all were palm: its fixed part and two metacarpals."""
    weights = np.zeros((len(points), len(FRAME_INDEX)))
    x, y = points[:, 0], points[:, 1]
    to_ring, to_little = smoothstep(x, 3.0, 17.0), smoothstep(x, 18.0, 33.0)
    raised = smoothstep(y, 14.0, 40.0)
    weights[:, FRAME_INDEX['little_metacarpal']] = to_little * raised
    weights[:, FRAME_INDEX['ring_metacarpal']] = (to_ring - to_little) * raised
    weights[:, FRAME_INDEX['palm']] = 1 - to_ring * raised
    return weights


def blend_into_forearm(weights: np.ndarray, y: np.ndarray) -> None:
    """Move weights (V, B), in place, to the wrist's half joint and the forearm, by y (V,) in mm."""
    arm, half = smoothstep(-y, 2.0, 20.0), smoothstep(-y, -14.0, 4.0)
    weights *= (1 - half)[:, None]
    weights[:, FRAME_INDEX['wrist_half']] += half - arm
    weights[:, FRAME_INDEX['forearm']] += arm


# Places around each joint in mm: where the skin starts to follow the half joint, follows it most, and follows the far
# bone alone.
_FINGER_SPANS = [(9.0, 2.0, 15.0), (7.0, 0.0, 7.0), (5.0, 0.0, 5.0)]
_THUMB_SPANS = [(12.0, 8.0, 26.0), (9.0, 0.0, 9.0), (7.0, 0.0, 7.0)]


def smooth_weights(values: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Average weights (V, B) over mesh neighbours for some rounds; tiny ones become 0."""
    step = neighbour_mean(faces, len(values))
    for _ in range(rounds):
        values = 0.4 * values + 0.6 * (step @ values)
    values = np.where(values < _LEAST_WEIGHT, 0, values)
    return values / values.sum(1, keepdims=True)
