"""The HGR1 photographs, after ``tools/dataset_converters/hgr1.py``."""

from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import hand_metainfo


@DATASETS.register_module()
class HGR1Dataset(BaseCocoStyleDataset):
    """HGR1, 899 photographs of hands of 174×131 to 640×480 pixels, as COCO keypoint JSON.

    The originals mark 25 feature points; ``tools/dataset_converters/hgr1.py`` keeps those that it is told are one of
    our 21 keypoints (OneHand10K's order, root to tip) and writes the others as unlabelled, visibility 0.
    """

    METAINFO: dict = hand_metainfo(
        'hgr1',
        paper_info=dict(
            author='Grzejszczak, Tomasz and Kawulok, Michal and Galuszka, Adam',
            title='Hand landmarks detection and localization in color images',
            container='Multimedia Tools and Applications',
            year='2016',
            homepage='https://sun.aei.polsl.pl/~mkawulok/gestures/',
        ),
    )
