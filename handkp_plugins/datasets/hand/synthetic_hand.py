"""The data set that ``tools/make_synthetic.py`` writes."""

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import hand_metainfo

from .hand_video import frame_keys


@DATASETS.register_module()
class SyntheticHandDataset(BaseCocoStyleDataset):
    """Rendered hands: COCO keypoint JSON with 3D joints, camera, handedness and gesture.

    21 keypoints in OneHand10K's order, root to tip. Visibility 2 is visible, 1 hidden by the hand itself or another
    thing (both count as labelled), 0 outside the image. Images are files or, of a set in layers, members of shards;
    :class:`LoadHandImage` reads both. Beyond what :class:`BaseCocoStyleDataset` gives, a sample holds

    - ``keypoints_3d``: (1, 21, 3) float32, metres in the camera's frame: x right, y down, z forward
    - ``camera``: (3, 3) float32, the pinhole matrix of the unflipped, uncropped image
    - ``handedness``: 'left' or 'right', and ``gesture``: the name of the pose, both of the unflipped image
    - of a set of sequences, ``video_id`` and ``frame_id``, as in :class:`HandVideoDataset`
    """

    METAINFO: dict = hand_metainfo('synthetic_hand')

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Parse one annotation; see the class for the keys that it adds.

        Raises:
            ValueError: the record lacks one of the keys above, or its value has another shape.
        """
        annotation, image = raw_data_info['raw_ann_info'], raw_data_info['raw_img_info']
        # MMPose copies the record into each sample; without the 3D joints, which a sample has as an array, that is half
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
            raise ValueError(f'{where}: no {e}; was the file written by tools/make_synthetic.py?') from None
        if keypoints_3d.shape != (21, 3):
            raise ValueError(f'{where}: expected keypoints_3d of shape (21, 3), got {keypoints_3d.shape}')
        if camera.shape != (3, 3):
            raise ValueError(f'{where}: expected camera K of shape (3, 3), got {camera.shape}')
        if handedness not in ('left', 'right'):
            raise ValueError(f"{where}: expected handedness 'left' or 'right', got {handedness!r}")
        sample = dict(data_info, keypoints_3d=keypoints_3d[None], camera=camera, handedness=handedness, gesture=gesture)
        in_video = 'video_id' in image or 'frame_id' in image
        return dict(sample, **frame_keys(self.ann_file, image)) if in_video else sample
