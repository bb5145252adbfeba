"""The HGR1 photographs."""

from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from handkp_plugins.structures.skeleton import hand_metainfo


@DATASETS.register_module()
class HGR1Dataset(BaseCocoStyleDataset):
    """HGR1, 899 photographs of hands of 174×131 to 640×480 pixels, as ``tools/dataset_converters/hgr1.py`` writes them.

    21 keypoints in OneHand10K's order. The originals mark 25 feature points; keypoints without one are unlabelled.
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
