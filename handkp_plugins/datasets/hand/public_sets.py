"""Public data sets, as the converters of ``tools/dataset_converters`` write them."""

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


@DATASETS.register_module()
class STBDataset(BaseCocoStyleDataset):
    """STB: a left hand before 6 backgrounds, 18,000 stereo pairs, as ``tools/dataset_converters/stb.py`` writes them.

    21 keypoints in OneHand10K's order. The originals mark the palm's centre and no wrist; see the converter.
    """

    METAINFO: dict = hand_metainfo(
        'stb',
        paper_info=dict(
            author='Zhang, Jiawei and Jiao, Jianbo and Chen, Mingliang and Qu, Liangqiong and others',
            title='A hand pose tracking benchmark from stereo matching',
            container='IEEE International Conference on Image Processing (ICIP)',
            year='2017',
            homepage='https://github.com/zhjwustc/icip17_stereo_hand_pose_dataset',
        ),
    )
