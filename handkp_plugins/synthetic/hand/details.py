"""Details of the skin that are the same for all hands: creases, nails, and the relief of joints, pads and tendons."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise

import numpy as np

from handkp_plugins.structures.skeleton import FINGERS

from .implicit import finger_coordinates
from .kinematics import FRAME_INDEX
from .shape import MEAN_ROOTS, MEAN_SEGMENTS
from .template import FINE_STEP, HandTemplate, hand_template, smoothstep, vertex_normals

_CREASE_DEPTH = 0.0005
_NAIL_RIM_DEPTH = 0.0004


@lru_cache(maxsize=2)
def carved_template(step: float = FINE_STEP) -> HandTemplate:
    """The template with creases and the rims of the nails pressed into it; built on first use."""
    template = hand_template(step)
    nail, _ = nails(template)
    depth = _CREASE_DEPTH * creases(template) + _NAIL_RIM_DEPTH * 4 * nail * (1 - nail)
    vertices = template.vertices - depth[:, None] * template.normals
    normals = vertex_normals(vertices, template.faces)
    return replace(template, vertices=vertices.astype(np.float32), normals=normals.astype(np.float32))


_PALM_LINES = [  # in mm on the palm of a right hand, x to the little finger
    [(44, 64), (30, 68), (14, 74), (2, 82), (-8, 95)],
    [(-33, 72), (-16, 66), (4, 56), (22, 44), (33, 36)],
    [(-33, 72), (-18, 64), (-7, 48), (-4, 30), (-7, 14)],
]


def relief(template: HandTemplate) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For a metre of each field of ``HandShape``: rise of vertices (V,) along their normals, tilt of these (V, 3)."""
    place, on_finger = template.place, template.finger >= 0
    to_joint = np.minimum(np.abs(place - 1), np.abs(place - 2))
    ends = smoothstep(place, 0.3, 0.6) * (1 - smoothstep(place, 2.6, 2.95))
    heights = {
        'joint_bulge': on_finger * (1 - smoothstep(to_joint, 0.05, 0.3)) * (place < 2.6),
        'pad_bulge': on_finger * smoothstep(to_joint, 0.15, 0.45) * ends,
        'tendons': _tendons(template),
    }
    out, step = {}, 2e-4
    for name, height in heights.items():
        raised = vertex_normals(template.vertices + step * height[:, None] * template.normals, template.faces)
        tilt = (raised - vertex_normals(template.vertices, template.faces)) / step
        out[name] = height.astype(np.float32), tilt.astype(np.float32)
    return out


def _tendons(template: HandTemplate) -> np.ndarray:
    """Ridges on the back of the hand from the wrist to each knuckle, the knuckles, and hollows between them."""
    x, y, _ = 1e3 * template.vertices.astype(float).T
    back = smoothstep(facing_back(template), 0.3, 0.8)
    height = np.zeros(len(x))
    for root in 1e3 * MEAN_ROOTS[1:]:
        share = np.clip(y / root[1], 0, 1)
        aside = x - share * (root[0] - 2) - 2
        ridge = smoothstep(y, 12, 40) * (1 - smoothstep(y, root[1] - 2, root[1] + 12))
        knuckle = np.exp(-(((x - root[0]) / 8) ** 2) - ((y - root[1]) / 8) ** 2)
        height = height + ridge * np.exp(-((aside / 2.3) ** 2)) + 1.2 * knuckle
    for a, b in pairwise(1e3 * MEAN_ROOTS[1:]):
        middle = 0.5 * (a + b)
        height = height - 1.6 * np.exp(-(((x - middle[0]) / 4.5) ** 2) - ((y - middle[1] - 3) / 11) ** 2)
    return back * height


def facing_back(template: HandTemplate) -> np.ndarray:
    """Cosine (V,) between each normal and the back of the bones that carry the vertex."""
    return (template.normals * (template.weights @ template.rest_frames[:, :3, 2])).sum(1)


def creases(template: HandTemplate) -> np.ndarray:
    """How deep each vertex (V,) lies in a crease of the skin, 0…1."""
    points = 1e3 * template.vertices.astype(float)
    x, y, _ = points.T
    facing = facing_back(template)
    palmar = smoothstep(-facing, 0.1, 0.6)
    depth = np.zeros(len(points))
    for line in _PALM_LINES:
        depth = np.maximum(depth, 0.9 * palmar * _line(x, y, np.array(line, dtype=float), 1.2) * (template.finger < 0))
    for wrist_y in (-3.0, -10.0):
        crease = np.exp(-(((y - wrist_y - 0.004 * x**2) / 1.2) ** 2)) * (np.abs(x) < 30)
        depth = np.maximum(depth, 0.6 * palmar * crease)
    for i, name in enumerate(FINGERS):
        along = finger_coordinates(points, template.rest_frames[FRAME_INDEX[f'{name}_0']])[:, 1]
        joints = np.concatenate([[0.0], np.cumsum(1e3 * MEAN_SEGMENTS[i])])
        own = template.finger == i
        lines = [(0.5 * joints[1], 0.8), (joints[1] - 1.2, 0.8), (joints[1] + 1.6, 0.5)] if i else [(joints[1], 0.8)]
        for at, strength in (*lines, (joints[2] - 1, 0.9)):
            depth = np.maximum(depth, own * strength * palmar * np.exp(-(((along - at) / 0.9) ** 2)))
        for joint in joints[1:3]:
            folds = (0.5 + 0.5 * np.cos((along - joint) * (2 * np.pi / 3.2))) * np.exp(-(((along - joint) / 4.5) ** 2))
            depth = np.maximum(depth, 0.5 * own * smoothstep(facing, 0.2, 0.7) * folds)
    return depth


def _line(x: np.ndarray, y: np.ndarray, line: np.ndarray, width: float) -> np.ndarray:
    """1 on a line through points (N, 2) in the plane, fading over ``width``."""
    shares = np.linspace(0, 1, 40)
    knots = np.linspace(0, 1, len(line))
    curve = np.stack([np.interp(shares, knots, line[:, i]) for i in (0, 1)], axis=1)
    near = np.min((x[:, None] - curve[:, 0]) ** 2 + (y[:, None] - curve[:, 1]) ** 2, axis=1)
    return np.exp(-near / width**2)


_NAIL_HALF = {'thumb': 7.6, 'index': 5.8, 'middle': 6.0, 'ring': 5.6, 'little': 4.6}
_NAIL_LENGTH = {'thumb': 13.5, 'index': 11.0, 'middle': 11.5, 'ring': 11.0, 'little': 9.0}


def nails(template: HandTemplate) -> tuple[np.ndarray, np.ndarray]:
    """How much each vertex (V,) is nail (0…1), and metres from it to the nail's free edge."""
    points = 1e3 * template.vertices.astype(float)
    mask, to_edge = np.zeros(len(points)), np.full(len(points), 1.0)
    for i, name in enumerate(FINGERS):
        across, along, dorsal = finger_coordinates(points, template.rest_frames[FRAME_INDEX[f'{name}_0']]).T
        edge = 1e3 * MEAN_SEGMENTS[i].sum() - 0.8
        u = (along - edge + 0.5 * _NAIL_LENGTH[name]) / (0.5 * _NAIL_LENGTH[name])
        inside = 1 - (np.abs(across / _NAIL_HALF[name]) ** 3.5 + np.abs(u) ** 3.5) ** (1 / 3.5)
        own = (template.finger == i) & (dorsal > -0.5)
        mask = np.where(own, smoothstep(inside, -0.06, 0.12), mask)
        to_edge = np.where(own, 1e-3 * (edge - along), to_edge)
    return mask, to_edge
