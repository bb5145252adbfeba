"""Generated hands."""

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import hand_metainfo

from .hand_video import frame_keys


@DATASETS.register_module()
class SyntheticHandDataset(BaseCocoStyleDataset):
    """Rendered hands that ``tools/make_synthetic.py`` writes, with 3D joints, camera, handedness and gesture.

    21 keypoints in OneHand10K's order. Visibility is 2 visible, 1 occluded (labelled, too), 0 outside the image. Images
    are files, or members of shards; :class:`LoadHandImage` reads both. Samples also have

    - ``keypoints_3d``: (1, 21, 3) float32, metres in the camera's frame: x right, y down, z forward
    - ``camera``: (3, 3) float32, the camera matrix of the unflipped, uncropped image
    - ``handedness``: 'left' or 'right', and ``gesture``: the name of the pose, both of the unflipped image
    - in clips, ``video_id`` and ``frame_id``, as in :class:`HandVideoDataset`; not in sets of several views
    """

    METAINFO: dict = hand_metainfo('synthetic_hand')

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Parse an annotation, and add the keys of the class; ValueError if one is missing or of a wrong shape."""
        annotation, image = raw_data_info['raw_ann_info'], raw_data_info['raw_img_info']
        # MMPose copies the record into each sample; the 3D joints, half of it, are in the sample as an array
        lean = {key: value for key, value in annotation.items() if key != 'keypoints_3d'}
        data_info = super().parse_data_info(dict(raw_data_info, raw_ann_info=lean))
        if data_info is None:
            return None
        where = f'{self.ann_file}: annotation {annotation["id"]}'
        try:
            keypoints_3d = np.array(annotation['keypoints_3d'], dtype=np.float32)
            camera = np.array(image['camera']['K'], dtype=np.float32)
            handedness, gesture = annotation['handedness'], annotation['gesture']
        except KeyError as e:
            raise ValueError(f'{where}: expected {e}, as tools/make_synthetic.py writes it, got none') from None
        for name, array, shape in (('keypoints_3d', keypoints_3d, (21, 3)), ('camera K', camera, (3, 3))):
            if array.shape != shape:
                raise ValueError(f'{where}: expected {name} of shape {shape}, got {array.shape}')
        if handedness not in ('left', 'right'):
            raise ValueError(f"{where}: expected handedness 'left' or 'right', got {handedness!r}")
        sample = dict(data_info, keypoints_3d=keypoints_3d[None], camera=camera, handedness=handedness, gesture=gesture)
        in_clip = 'view_id' not in image and ('video_id' in image or 'frame_id' in image)
        return dict(sample, **frame_keys(self.ann_file, image)) if in_clip else sample
