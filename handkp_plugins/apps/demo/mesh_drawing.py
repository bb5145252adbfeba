"""Draw meshes of hands over an image, and as seen from the side."""

from collections.abc import Sequence

import cv2
import numpy as np

from handkp_plugins.apis.hand_mesh import HandMesh
from handkp_plugins.synthetic.rendering.renderer import Part, Renderer

_SIZE = 256  # pixels of a rendered hand
_MARGIN = 1.15  # of the rendered square around the hand
_FAR_AWAY = 8.0  # metres to the camera, which so sees the hand almost in parallel
_COLOR = np.array([0.95, 0.78, 0.66])  # RGB
_OPACITY = 0.75
_VIEW = 0.34  # side of the view from the side, as a share of the image's shorter side
_SIDEWAYS = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # as seen from the right


class MeshDrawer:
    """Draws meshes by VTK; it is made when the first hand is drawn."""

    def __init__(self) -> None:
        self._renderer: Renderer | None = None

    def draw(self, image: np.ndarray, meshes: Sequence[HandMesh]) -> np.ndarray:
        """Draw meshes over a copy of a BGR image, and the first one from its right side in the upper right corner."""
        canvas = image.copy()
        for mesh in meshes:
            self._draw_over(canvas, mesh)
        if meshes:
            height, width = image.shape[:2]
            side = min(max(32, int(_VIEW * min(height, width))), height, width)
            color, alpha, *_ = self._render(meshes[0].vertices @ _SIDEWAYS.T, meshes[0].faces)
            view = np.rint(255 * (color + 1 - alpha[..., None])).astype(np.uint8)
            canvas[:side, width - side :] = cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA)
        return canvas

    def _draw_over(self, canvas: np.ndarray, mesh: HandMesh) -> None:
        color, alpha, middle, span = self._render(mesh.vertices, mesh.faces)
        factor = span * mesh.scale / _SIZE  # pixels of the image for one of the rendering
        shift = mesh.project(middle[None])[0] - factor * (_SIZE - 1) / 2
        warp = np.column_stack([factor * np.eye(2), shift])
        size = canvas.shape[1::-1]
        color, alpha = (cv2.warpAffine(a, warp, size, flags=cv2.INTER_LINEAR) for a in (color, alpha))
        canvas[:] = np.rint(255 * _OPACITY * color + (1 - _OPACITY * alpha[..., None]) * canvas).clip(0, 255)

    def _render(self, points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Return BGR times coverage, coverage, and middle (3,) and side in metres of the square that they show."""
        from handkp_plugins.synthetic.hand.template import vertex_normals  # brings scikit-image, which takes a second

        self._renderer = self._renderer or Renderer(_SIZE, far=2 * _FAR_AWAY)
        low, high = points.min(0), points.max(0)
        middle, span = (low + high) / 2, _MARGIN * float((high - low)[:2].max())
        facing = -vertex_normals(points.astype(float), faces)[:, 2:].clip(-1, 0)
        part = Part(points - middle + [0, 0, _FAR_AWAY], faces, (0.3 + 0.7 * facing) * _COLOR)
        rendering = self._renderer.render([part], focal=_SIZE / span * _FAR_AWAY)
        return np.ascontiguousarray(rendering.color[..., ::-1]), rendering.alpha, middle, span
