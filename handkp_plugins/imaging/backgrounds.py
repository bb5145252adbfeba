"""What lies behind the hand: generated textures and clutter, or crops of photographs."""

from pathlib import Path

import cv2
import numpy as np

from handkp_plugins.fileio.images import read_image


def crop_photograph(path: Path, size: int, rng: np.random.Generator) -> np.ndarray:
    """A random square crop (size, size, 3), sRGB 0…1, of a photograph; an unreadable one raises OSError."""
    try:
        image = read_image(path)
    except ValueError as error:
        raise OSError(f'background cannot be read: {error}') from error
    height, width = image.shape[:2]
    side = int(min(height, width) * rng.uniform(0.3, 1.0))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    crop = image[top : top + side, left : left + side, ::-1]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(crop), (size, size), interpolation=how).astype(np.float32) / 255


def generate_background(size: int, rng: np.random.Generator) -> np.ndarray:
    """A generated image (size, size, 3), sRGB 0…1: a ground, often clutter with straight edges over it."""
    kinds = {'gradient': _gradient, 'noise': _noise, 'stripes': _stripes, 'room': _room}
    image = kinds[rng.choice(list(kinds), p=[0.25, 0.3, 0.2, 0.25])](size, rng)
    if rng.random() < 0.75:
        image = _clutter(image, rng)
    if rng.random() < 0.5:
        image = image * (1 + rng.uniform(0.02, 0.12) * _cloud(size, 2.0 ** rng.uniform(2, 6), rng)[..., None])
    if rng.random() < 0.5:  # out of focus behind the hand
        image = cv2.GaussianBlur(image, (0, 0), size * np.exp(rng.uniform(np.log(0.003), np.log(0.03))))
    return np.clip(image, 0, 1).astype(np.float32)


def _color(rng: np.random.Generator) -> np.ndarray:
    """Mostly muted colours, as in rooms; some strong; some like skin, which must not fool a network."""
    kind = rng.random()
    if kind < 0.65:
        grey = rng.uniform(0.04, 0.97)
        return np.clip(grey * np.exp(rng.normal(0, 0.18, 3)), 0, 1)
    if kind < 0.82:
        return rng.random(3)
    return np.clip(rng.uniform(0.3, 1.0) * np.array([0.95, 0.74, 0.60]) + rng.normal(0, 0.05, 3), 0, 1)


def _gradient(size: int, rng: np.random.Generator) -> np.ndarray:
    corners = np.stack([_color(rng) for _ in range(4)]).reshape(2, 2, 3).astype(np.float32)
    corners = corners.mean((0, 1)) + rng.uniform(0.2, 1) * (corners - corners.mean((0, 1)))
    return cv2.resize(corners.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)


def _cloud(size: int, cells: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (size, size) of about unit deviation with this number of cells a side."""
    small = rng.normal(size=(int(cells) + 2, int(cells) + 2)).astype(np.float32)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)


def _noise(size: int, rng: np.random.Generator) -> np.ndarray:
    """Several octaves of smooth noise between two or three colours: walls, earth, foliage, cloth."""
    cells, fall = 2.0 ** rng.uniform(1, 4), rng.uniform(0.45, 0.95)
    total = sum(fall**i * _cloud(size, min(cells * 2**i, size / 2), rng) for i in range(5))
    share = 0.5 + 0.5 * np.tanh(rng.uniform(0.4, 2.0) * total)[..., None]
    a, b, c = (_color(rng) for _ in range(3))
    image = a + share * (b - a)
    second = np.clip(0.5 + _cloud(size, cells, rng), 0, 1)[..., None]
    return image + 0.5 * second * (c - image) * (rng.random() < 0.5)


def _stripes(size: int, rng: np.random.Generator) -> np.ndarray:
    """Stripes, tiles or bricks in perspective."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    angle = rng.uniform(0, np.pi)
    tilt = 1 + rng.uniform(-0.8, 0.8) * x + rng.uniform(-0.8, 0.8) * y
    u = (np.cos(angle) * x + np.sin(angle) * y) / tilt * rng.uniform(3, 22)
    v = (np.cos(angle) * y - np.sin(angle) * x) / tilt * rng.uniform(3, 22)
    sharp = rng.uniform(1.5, 12)
    share = 0.5 + 0.5 * np.tanh(sharp * np.sin(2 * np.pi * u))
    if rng.random() < 0.5:
        shifted = v + 0.5 * (np.rint(u) % 2)
        joint = np.minimum(np.abs(u - np.rint(u)), np.abs(shifted - np.rint(shifted)))
        share = np.clip(joint * rng.uniform(6, 25), 0, 1)
    a, b = _color(rng), _color(rng)
    return a + share[..., None] * (b - a)


def _room(size: int, rng: np.random.Generator) -> np.ndarray:
    """Large flat areas that meet at straight edges: walls, tables, door frames."""
    image = np.broadcast_to(_color(rng), (size, size, 3)).astype(np.float32).copy()
    y, x = np.mgrid[:size, :size] / size - 0.5
    for _ in range(int(rng.integers(1, 5))):
        angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.2) if rng.random() < 0.7 else rng.uniform(0, np.pi)
        edge = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.4, 0.4)
        shade = 1 + rng.uniform(-0.3, 0.3) * edge[..., None]
        image = np.where(edge[..., None] > 0, _color(rng) * shade, image)
    return image


def _clutter(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Boxes, bars, discs and polygons, some with a gradient, some see-through."""
    size = image.shape[0]
    image = np.ascontiguousarray(image, dtype=np.float32)
    for _ in range(int(rng.integers(1, 12))):
        layer = image.copy()
        color = tuple(float(c) for c in _color(rng))
        x, y = rng.uniform(-0.1, 1.1, 2) * size
        kind = rng.choice(['box', 'bar', 'disc', 'polygon', 'finger'])
        if kind == 'disc':
            axes = tuple(int(a) for a in rng.uniform(0.03, 0.25, 2) * size)
            cv2.ellipse(layer, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA)
        elif kind == 'finger':  # a rounded bar the size of a finger
            angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 0.5) * size
            end = (int(x + length * np.cos(angle)), int(y + length * np.sin(angle)))
            cv2.line(layer, (int(x), int(y)), end, color, max(1, int(rng.uniform(0.02, 0.09) * size)), cv2.LINE_AA)
        else:
            if kind == 'polygon':
                points = np.array([x, y]) + rng.normal(0, 0.15, (int(rng.integers(3, 6)), 2)) * size
            else:
                low, high = ([0.03, 0.03], [0.3, 0.3]) if kind == 'box' else ([0.2, 0.004], [0.9, 0.04])
                half = rng.uniform(low, high) * size
                points = cv2.boxPoints(((x, y), tuple(2 * half), rng.choice([0.0, 90.0, rng.uniform(0, 180)])))
            cv2.fillConvexPoly(layer, cv2.convexHull(points.astype(np.int32)), color, cv2.LINE_AA)
        solid = 1.0 if rng.random() < 0.8 else rng.uniform(0.2, 0.8)
        image += solid * (layer - image)
    return image
