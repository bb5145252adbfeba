"""Views of a hand from several cameras at once."""

from typing import Any

import numpy as np
from mmengine.fileio import join_path
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import NUM_KEYPOINTS, hand_metainfo

from ..checks.view_files import read_view_file


@DATASETS.register_module()
class HandViewDataset(BaseCocoStyleDataset):
    """Images of single hands, several of the same moment, with noisy 2D labels and, for tests, the true 3D joints.

    The annotation file is described at :func:`~handkp_plugins.datasets.checks.view_files.read_view_file`. A sample is
    one view. It holds

    - ``frame_id`` and ``view_id``, integers: moment and camera; :class:`ViewGroupSampler` puts a frame's views in a row
    - ``keypoints`` (1, 21, 2) and ``keypoints_visible`` (1, 21): the labels to learn from, and their confidences
    - ``handedness``: 'left' or 'right'; :class:`MirrorLeftHand` makes right hands of all
    - ``camera`` (3, 3), ``view_rotation`` (3, 3) and ``view_translation`` (3,), where the file has them: intrinsics,
      and from the world to the camera's axes, in metres
    - ``keypoints_3d`` (1, 21, 3), where the file has them: metres in the camera's frame
    - ``vertices`` (V, 3), with ``vertices_file``: the true vertices, in the same frame

    Args:
        vertices_file: A ``.npy`` of the vertices (N, V, 3) of all annotations in the file's order, below ``data_root``.
        kwargs: Those of MMPose's ``BaseCocoStyleDataset``.
    """

    METAINFO: dict = hand_metainfo('hand_views')
    checks_its_file = True

    def __init__(self, vertices_file: str | None = None, **kwargs: Any) -> None:
        self.vertices_file = vertices_file
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        """Check the file, and load its samples."""
        read_view_file(self.ann_file)
        samples = super().load_data_list()
        if self.vertices_file:
            self._add_vertices(samples)
        return samples

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Parse an annotation, and add the keys of the class."""
        annotation, image = raw_data_info['raw_ann_info'], raw_data_info['raw_img_info']
        labels = np.array(annotation['pseudo_keypoints'], np.float32).reshape(NUM_KEYPOINTS, 3)
        # MMPose copies the record into each sample; what follows is in the sample as arrays
        large = ('pseudo_keypoints', 'keypoints', 'keypoints_3d')
        lean = {key: value for key, value in annotation.items() if key not in large}
        record = dict(lean, keypoints=labels.ravel().tolist(), num_keypoints=NUM_KEYPOINTS)
        sample = super().parse_data_info(dict(raw_data_info, raw_ann_info=record))
        sample['raw_ann_info'] = lean
        sample.update(
            keypoints_visible=labels[None, :, 2],
            frame_id=image['frame_id'],
            view_id=image['view_id'],
            handedness=annotation['handedness'],
        )
        camera = image.get('camera') or {}
        for key, name in (('K', 'camera'), ('R', 'view_rotation'), ('t', 'view_translation')):
            if key in camera:
                sample[name] = np.array(camera[key], np.float32)
        if 'keypoints_3d' in annotation:
            sample['keypoints_3d'] = np.array(annotation['keypoints_3d'], np.float32).reshape(1, NUM_KEYPOINTS, 3)
        return sample

    def _add_vertices(self, samples: list[dict]) -> None:
        path = join_path(self.data_root or '', self.vertices_file)
        meshes = np.load(path, mmap_mode='r', allow_pickle=False)
        if meshes.ndim != 3 or meshes.shape[2] != 3 or len(meshes) != len(samples):
            raise ValueError(f'{path}: expected vertices ({len(samples)}, V, 3) of {self.ann_file}, got {meshes.shape}')
        for sample, mesh in zip(samples, meshes, strict=True):
            sample['vertices'] = np.asarray(mesh, np.float32)


@DATASETS.register_module()
class HanCoDataset(HandViewDataset):
    """HanCo: 1,518 sequences of a right hand before 8 cameras, as ``tools/dataset_converters/hanco.py`` writes them."""

    METAINFO: dict = hand_metainfo(
        'hanco',
        paper_info=dict(
            author='Zimmermann, Christian and Argus, Max and Brox, Thomas',
            title='Contrastive Representation Learning for Hand Shape Estimation',
            container='German Conference on Pattern Recognition (GCPR)',
            year='2021',
            homepage='https://lmb.informatik.uni-freiburg.de/projects/hanco/',
        ),
    )
