"""Check a COCO file of boxes before MMDetection reads it, which drops unfit boxes in silence."""

from collections.abc import Sequence

from handkp_plugins.fileio.coco_file import CocoFile
from handkp_plugins.structures.boxes import box_sizes, clip_boxes, xywh_to_xyxy

from .keypoint_files import log_left_out

_IMAGE_KEYS = ('id', 'file_name', 'width', 'height')
_ANNOTATION_KEYS = ('id', 'image_id', 'category_id', 'bbox', 'area')


def check_box_file(path: str, classes: Sequence[str]) -> int:
    """Check that MMDetection can read a COCO file of boxes, and return how many of them it will use.

    MMDetection uses boxes of the named classes that are at least a pixel wide and high, have an area and lie at least
    partly in the image. The number of other boxes is logged. Raises FileNotFoundError, or ValueError if the file or a
    record is malformed, or no category has one of the names.
    """
    file = CocoFile(path, _IMAGE_KEYS, _ANNOTATION_KEYS, allow_empty=True)  # a detector may learn from empty images
    sizes, boxes = file.image_sizes(), file.boxes()
    categories = file.records('categories', ('id', 'name'))
    wanted = {category['id'] for category in categories if category['name'] in classes}
    if not wanted:
        names = ', '.join(str(category['name']) for category in categories)
        raise ValueError(
            f'{path}: expected categories of which one is named {" or ".join(classes)}, got {names}; '
            "the config's metainfo.classes names the classes"
        )
    fits = (boxes[:, 2:] >= 1).all(1) & (box_sizes(clip_boxes(xywh_to_xyxy(boxes), sizes)) > 0).all(1)
    left_out = [
        a['id']
        for a, fit in zip(file.annotations, fits, strict=True)
        if not (fit and a['category_id'] in wanted and a['area'] > 0 and not a.get('ignore'))
    ]
    reason = 'of another category, marked to be ignored, without an area or outside their image'
    return log_left_out(path, left_out, len(file.annotations), reason)
