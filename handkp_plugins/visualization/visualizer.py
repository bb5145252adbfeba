"""MMPose's visualizer, as its hook and its inferencers use it."""

from typing import Any

import numpy as np
from mmpose.registry import VISUALIZERS
from mmpose.visualization import PoseLocalVisualizer


@VISUALIZERS.register_module()
class HandVisualizer(PoseLocalVisualizer):
    """``PoseLocalVisualizer`` that can draw a keypoint: it gives OpenCV a radius in an array of one number, which NumPy
    takes for a number no more (since 2.4)."""

    def draw_circles(self, center: np.ndarray, radius: np.ndarray, **kwargs: Any) -> None:
        """As in ``PoseLocalVisualizer``."""
        super().draw_circles(center, np.squeeze(radius) if self.backend == 'opencv' else radius, **kwargs)
