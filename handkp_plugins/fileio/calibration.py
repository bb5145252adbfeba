"""Calibrated cameras, read from JSON or from a folder of ``.dat`` files.

JSON is ``{"unit": "m", "cameras": [{"name", "K", "R", "t", "size", "distortion"}, …]}``. K (3×3) is in pixels, R (3×3)
and t (3) lead from the world to the camera. The others may be missing: ``unit`` of t, which is text only, ``name``,
``size`` [W, H] of the images, and OpenCV's coefficients of lens distortion.

A folder holds ``c0.dat`` (``intrinsic:`` and three rows, ``distortion:`` and a row) and ``rot_trans_c0.dat`` (``R:``
and three rows, ``T:`` and three rows), then ``c1.dat`` and so on, as python_stereo_camera_calibrate writes them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .coco_file import as_array
from .json import read_json

_DISTORTIONS = (0, 4, 5, 8, 12, 14)  # numbers of coefficients that OpenCV knows


@dataclass(frozen=True)
class CalibratedCamera:
    """A camera at rest; x is right, y down, z away from it. Pixel (0, 0) is the centre of the first pixel."""

    name: str
    intrinsics: np.ndarray  # (3, 3)
    rotation: np.ndarray  # (3, 3), from the world to the camera
    translation: np.ndarray  # (3,)
    size: tuple[int, int] | None = None  # [W, H] of its images
    distortion: np.ndarray = field(default_factory=lambda: np.zeros(0))  # OpenCV's coefficients

    def undistort(self, points: np.ndarray) -> np.ndarray:
        """Return pixels (…, 2) where they would be without lens distortion."""
        if not len(self.distortion):
            return np.asarray(points, np.float64)
        flat = np.asarray(points, np.float64).reshape(-1, 1, 2)
        straight = cv2.undistortPoints(flat, self.intrinsics, self.distortion, P=self.intrinsics)
        return straight.reshape(np.shape(points))

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project points (N, 3) of the world to pixels (N, 2) of the image, with lens distortion."""
        turn, _ = cv2.Rodrigues(self.rotation)
        pixels, _ = cv2.projectPoints(
            np.asarray(points, np.float64).reshape(-1, 1, 3), turn, self.translation, self.intrinsics, self.distortion
        )
        return pixels.reshape(-1, 2)


@dataclass(frozen=True)
class Calibration:
    """The cameras of a file or folder, and the unit of their world."""

    cameras: list[CalibratedCamera]
    unit: str


def read_calibration(path: str | Path) -> Calibration:
    """Read two cameras or more; FileNotFoundError, or ValueError that names file, camera and key."""
    path = Path(path)
    unit = 'calibration units'
    if path.is_dir():
        records = _read_folder(path)
    else:
        document = read_json(path, 'calibrated cameras')
        records = document.get('cameras') if isinstance(document, dict) else None
        if not isinstance(records, list):
            raise ValueError(f"{path}: expected an object with a list 'cameras', got {str(document)[:60]}")
        unit = str(document.get('unit', unit))
    if len(records) < 2:
        raise ValueError(f'{path}: cameras: expected two or more, got {len(records)}')
    return Calibration([_camera(f'{path}: camera {i}', str(i), record) for i, record in enumerate(records)], unit)


def _camera(where: str, number: str, record: Any) -> CalibratedCamera:
    if not isinstance(record, dict):
        raise ValueError(f'{where}: expected an object, got {str(record)[:60]}')
    k, r, t = (_numbers(where, record, key, shape) for key, shape in (('K', (3, 3)), ('R', (3, 3)), ('t', (3,))))
    if not (k[0, 0] > 0 and k[1, 1] > 0 and k[2].tolist() == [0, 0, 1]):
        raise ValueError(f'{where}: K: expected focal lengths above 0 and the last row 0, 0, 1, got {k.tolist()}')
    size = None
    if record.get('size') is not None:
        size = _numbers(where, record, 'size', (2,))
        if not (size > 0).all():
            raise ValueError(f'{where}: size: expected [W, H] above 0, got {record["size"]}')
        size = (int(size[0]), int(size[1]))
    distortion = as_array(record.get('distortion') or [])
    if distortion is None or distortion.size not in _DISTORTIONS or not np.isfinite(distortion).all():
        raise ValueError(
            f'{where}: distortion: expected {", ".join(map(str, _DISTORTIONS[1:]))} numbers, got {record["distortion"]}'
        )
    return CalibratedCamera(str(record.get('name', number)), k, r, t, size, distortion.ravel())


def _numbers(where: str, record: dict, key: str, shape: tuple[int, ...]) -> np.ndarray:
    values = as_array(record.get(key))
    if values is not None and shape == (3,) and values.shape == (3, 1):
        values = values.ravel()
    if values is None or values.shape != shape or not np.isfinite(values).all():
        expected = '×'.join(map(str, shape))
        raise ValueError(f'{where}: {key}: expected {expected} finite numbers, got {str(record.get(key))[:60]}')
    return values


def _read_folder(folder: Path) -> list[dict[str, Any]]:
    records = []
    while (file := folder / f'c{len(records)}.dat').is_file():
        pose = _read_dat(folder / f'rot_trans_{file.name}', {'R': 3, 'T': 3})
        lens = _read_dat(file, {'intrinsic': 3, 'distortion': 1})
        records.append(
            dict(
                name=file.stem, K=lens['intrinsic'], R=pose['R'], t=sum(pose['T'], []), distortion=lens['distortion'][0]
            )
        )
    if not records:
        raise FileNotFoundError(
            f'{folder}: expected a JSON file, or a folder with c0.dat and rot_trans_c0.dat, got neither'
        )
    return records


def _read_dat(path: Path, sections: dict[str, int]) -> dict[str, list[list[float]]]:
    """Return the rows of numbers after the first line ``NAME:`` of each section."""
    if not path.is_file():
        raise FileNotFoundError(f'{path}: no such file; expected {", ".join(sections)} of a camera')
    lines = [line.strip() for line in path.read_text(encoding='utf-8').splitlines()]
    found = {}
    for name, count in sections.items():
        if f'{name}:' not in lines:
            raise ValueError(f'{path}: expected a line {name}:, got none')
        first = lines.index(f'{name}:') + 1
        try:
            found[name] = [[float(value) for value in line.split()] for line in lines[first : first + count]]
        except ValueError as error:
            raise ValueError(f'{path}: {name}: expected {count} rows of numbers, got others ({error})') from None
    return found
