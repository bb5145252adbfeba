"""Off-screen rasterisation with VTK: coloured triangles → colour, coverage and depth.

Light is computed per vertex beforehand (``shading``), so VTK only draws. Make the renderer after a fork, never before.
Software rendering uses all cores unless ``LP_NUM_THREADS=1`` is set before VTK is imported, which
:func:`one_thread_per_renderer` does.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from handkp_plugins.errors import HandkpError

_NO_GL = (
    'VTK cannot draw off screen: no OpenGL library for software rendering was found. '
    'On Debian or Ubuntu: apt-get install -y libgl1 libegl1 libosmesa6'
)
_OVERSAMPLING = 2
_NEAR, _FAR = 0.05, 4.0


def one_thread_per_renderer() -> None:
    """Keep Mesa's software renderer to one thread a process; call it before the first image is drawn."""
    os.environ.setdefault('LP_NUM_THREADS', '1')


@dataclass(frozen=True)
class Part:
    """A mesh to draw."""

    points: np.ndarray  # (V, 3) in the camera frame (x right, y down, z forward, metres)
    faces: np.ndarray  # (F, 3) point ids
    colors: np.ndarray  # (V, 3) sRGB in 0…1 for the renderer, linear before exposure


@dataclass(frozen=True)
class Rendering:
    """Images of H×W pixels."""

    color: np.ndarray  # (H, W, 3) sRGB 0…1, multiplied by coverage
    alpha: np.ndarray  # (H, W) coverage 0…1
    depth: np.ndarray  # (H, W) metres along z to the nearest surface; infinite where there is none


class Renderer:
    """Draws parts up to ``far`` metres away, seen by a pinhole camera at the origin.

    Images are ``size`` pixels wide and ``height`` high, or square. Raises HandkpError where VTK finds no OpenGL.
    """

    made_in: int | None = None  # id of the process that holds a GL context, which must not fork

    def __init__(self, size: int, height: int | None = None, far: float = _FAR) -> None:
        height = height or size
        if min(size, height) < 16:
            raise ValueError(f'size: expected 16 or more pixels, got {min(size, height)}')
        one_thread_per_renderer()
        try:
            import vtk
        except ImportError as error:
            raise HandkpError(f'{_NO_GL} ({error})') from error
        vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
        vtk.vtkObject.GlobalWarningDisplayOff()
        Renderer.made_in = os.getpid()
        self.vtk, self.height, self.far = vtk, height, far
        self.drawn = size * _OVERSAMPLING, height * _OVERSAMPLING  # width, height
        self.window = vtk.vtkRenderWindow(off_screen_rendering=1, multi_samples=0, alpha_bit_planes=1, size=self.drawn)
        self.scene = vtk.vtkRenderer(background=(0, 0, 0), background_alpha=0)
        self.window.AddRenderer(self.scene)
        self.scene.active_camera = vtk.vtkCamera(
            position=(0, 0, 0), focal_point=(0, 0, 1), view_up=(0, -1, 0), clipping_range=(_NEAR, far)
        )
        if not self._can_draw():
            raise HandkpError(_NO_GL)

    def _can_draw(self) -> bool:
        """Whether a triangle before the camera shows. Without a GL library drawing would end the process."""
        self.window.Initialize()
        if not self.window.GetInitialized():
            return False
        points = np.array([[-1.0, -1, 1], [1, -1, 1], [0, 1, 1]])
        rendering = self.render([Part(points, np.array([[0, 1, 2]]), np.ones((3, 3)))], focal=float(self.height))
        return bool(rendering.alpha.any())

    def render(self, parts: Sequence[Part], focal: float) -> Rendering:
        """Draw the parts; ``focal`` is in pixels, the principal point the middle of the image."""
        from vtk.util.numpy_support import vtk_to_numpy

        self._show(parts)
        self.scene.active_camera.view_angle = float(np.degrees(2 * np.arctan(0.5 * self.height / focal)))
        self.window.Render()
        width, height = self.drawn
        pixels = self.vtk.vtkUnsignedCharArray()
        self.window.GetRGBACharPixelData(0, 0, width - 1, height - 1, 0, pixels)
        buffer = self.vtk.vtkFloatArray()
        self.window.GetZbufferData(0, 0, width - 1, height - 1, buffer)
        # rows start at the bottom; where nothing was drawn it is black, so averaging weighs by coverage
        blocks = [b[..., :3].astype(np.float32) for b in _blocks(vtk_to_numpy(pixels).reshape(height, width, 4))]
        depths = _blocks(vtk_to_numpy(buffer).reshape(height, width))
        color = sum(blocks) / np.float32(255 * len(blocks))
        alpha = sum((z < 1).astype(np.float32) for z in depths) / np.float32(len(depths))
        nearest = np.minimum.reduce(depths).astype(float)
        depth = np.where(nearest < 1, _NEAR * self.far / (self.far - nearest * (self.far - _NEAR)), np.inf)
        return Rendering(color[::-1], alpha[::-1], depth[::-1])

    def _show(self, parts: Sequence[Part]) -> None:
        from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray

        vtk = self.vtk
        self.scene.RemoveAllViewProps()
        for part in parts:
            points = vtk.vtkPoints(data=numpy_to_vtk(np.ascontiguousarray(part.points, dtype=np.float32), deep=True))
            faces, cells = np.ascontiguousarray(part.faces, dtype=np.int64), vtk.vtkCellArray()
            cells.SetData(3, numpy_to_vtkIdTypeArray(faces.ravel(), deep=True))
            data = vtk.vtkPolyData(points=points, polys=cells)
            colors = np.clip(np.rint(part.colors * 255), 0, 255).astype(np.uint8)
            data.GetPointData().SetScalars(numpy_to_vtk(colors, deep=True))
            mapper = vtk.vtkPolyDataMapper(input_data_object=data)
            self.scene.AddActor(vtk.vtkActor(mapper=mapper, property=vtk.vtkProperty(lighting=False)))


def _blocks(image: np.ndarray) -> list[np.ndarray]:
    """The pixels of each oversampled block, as one image per place in the block."""
    n = _OVERSAMPLING
    return [image[i::n, j::n] for i in range(n) for j in range(n)]
