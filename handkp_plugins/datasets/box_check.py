"""Check a COCO file of boxes before MMDetection reads it, which drops what does not suit in silence."""

import logging
from collections.abc import Sequence

from mmengine.logging import print_log

from .annotation_check import fail, image_sizes, numbers_of, read_json, records_of

_IMAGE_KEYS = ('id', 'file_name', 'width', 'height')
_ANNOTATION_KEYS = ('id', 'image_id', 'category_id', 'bbox', 'area')


def check_box_file(path: str, classes: Sequence[str]) -> int:
    """Check the images and annotations of a COCO file of boxes.

    MMDetection takes boxes of the classes named, of a pixel at least each way, with an area and a part in the picture;
    the number of others is logged. A file whose categories have none of the names is refused.

    Returns:
        The number of boxes that MMDetection will use.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file or one of its records is not of that form; the message names the first one.
    """
    data = read_json(path)
    sizes = image_sizes(path, records_of(path, data, 'images', 'image', _IMAGE_KEYS))
    categories = records_of(path, data, 'categories', 'category', ('id', 'name'))
    wanted = {category['id'] for category in categories if category['name'] in classes}
    if not wanted:
        names = ', '.join(str(category['name']) for category in categories)
        raise ValueError(
            f'{path}: categories of which one is named {" or ".join(classes)} are allowed, received {names}; '
            "the config's metainfo.classes says which are wanted"
        )
    annotations = records_of(path, data, 'annotations', 'annotation', _ANNOTATION_KEYS)
    for annotation in annotations:
        if annotation['image_id'] not in sizes:
            fail(path, annotation, 'image_id: the id of an entry in images is allowed', annotation['image_id'])
    boxes = numbers_of(path, annotations, 'bbox', 4, 'x, y, width, height')
    used, left_out = 0, []
    for annotation, (x, y, width, height) in zip(annotations, boxes.tolist(), strict=True):
        full_width, full_height = sizes[annotation['image_id']]
        shows = min(x + width, full_width) > max(x, 0) and min(y + height, full_height) > max(y, 0)
        fits = min(width, height) >= 1 and annotation['area'] > 0 and not annotation.get('ignore')
        if annotation['category_id'] in wanted and shows and fits:
            used += 1
        else:
            left_out.append(str(annotation['id']))
    if left_out:
        text = (
            f'{path}: {len(left_out)} of {len(annotations)} annotations are left out, being of another category, '
            f'marked to be ignored, without an area or outside their image: ids {", ".join(left_out[:10])}'
            + (', …' if len(left_out) > 10 else '')
        )
        if not used:
            raise ValueError(f'{text}; nothing remains')
        print_log(text, logger='current', level=logging.WARNING)
    return used
