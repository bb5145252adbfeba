"""Averaging over four views of a hand, rotated by multiples of 90°."""

from collections.abc import Sequence

import numpy as np
from mmengine.model import BaseTTAModel
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from handkp_plugins.structures.rot90 import rot90_vectors


@MODELS.register_module()
class RotationTTA(BaseTTAModel):
    """Predict on four rotations of a crop by 90°, rotate keypoints back and average them (joint heads, section 3.3).

    Works with every top-down network; each view uses the network's flip test, if it has one. The views come from
    :class:`TurnedTopdownAffine` (:func:`handkp_plugins.apis.rotation.rotated_pipeline` adds it to a pipeline).
    Keypoints, scores and visibilities are averaged; everything else, including heatmaps, is that of the upright view.

    Rotating back is exact: a view is rotated about the middle of its pixels, (W - 1) / 2, so after 180° x' = W - 1 - x;
    keypoints in the image are rotated about the same point.

    Args:
        use_udp: Whether the crops use ``use_udp``: then W - 1 pixels, not W, span the box.
        data_preprocessor: Data preprocessor of the network, if its config has none.
    """

    def __init__(self, module: dict | nn.Module, use_udp: bool = False, data_preprocessor: dict | None = None) -> None:
        super().__init__(module, data_preprocessor)
        self.use_udp = use_udp

    def merge_preds(self, data_samples_list: Sequence[Sequence[PoseDataSample]]) -> list[PoseDataSample]:
        """Views of each hand in the order of their rotation, 0 to 3 quarter turns → one prediction for each hand."""
        return [self._merge(views) for views in data_samples_list]

    def _merge(self, views: Sequence[PoseDataSample]) -> PoseDataSample:
        found = views[0].pred_instances
        for name in ('keypoint_scores', 'keypoints_visible'):
            if name in found:
                found.set_field(np.mean([v.pred_instances[name] for v in views], 0), name)
        points = found.keypoints.copy()
        points[..., :2] = np.mean([self._upright(view, k) for k, view in enumerate(views)], 0)
        found.keypoints = points
        return views[0]

    def _upright(self, view: PoseDataSample, quarters: int) -> np.ndarray:
        """Return a rotated view's keypoints, which assume an upright view, at their place in the image: (N, K, 2)."""
        pixel = np.asarray(view.input_scale) / np.asarray(view.input_size)
        pivot = np.asarray(view.input_center) - (0 if self.use_udp else pixel / 2)
        return pivot + rot90_vectors(view.pred_instances.keypoints[..., :2] - pivot, -quarters)
