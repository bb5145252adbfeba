"""Check a COCO file of boxes before MMDetection reads it, which drops what does not suit in silence."""

from collections.abc import Sequence

from .keypoint_files import fail, image_sizes, numbers_of, read_json, records_of, tell_left_out

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
            f'{path}: expected categories of which one is named {" or ".join(classes)}, got {names}; '
            "the config's metainfo.classes says which are wanted"
        )
    if data.get('annotations') == []:  # images without an object, for a detector to learn from
        return 0
    annotations = records_of(path, data, 'annotations', 'annotation', _ANNOTATION_KEYS)
    for annotation in annotations:
        if annotation['image_id'] not in sizes:
            fail(path, annotation, 'image_id: expected the id of an entry in images', annotation['image_id'])
    boxes = numbers_of(path, annotations, 'bbox', 4, 'x, y, width, height')
    left_out = []
    for annotation, (x, y, width, height) in zip(annotations, boxes.tolist(), strict=True):
        full_width, full_height = sizes[annotation['image_id']]
        shows = min(x + width, full_width) > max(x, 0) and min(y + height, full_height) > max(y, 0)
        fits = min(width, height) >= 1 and annotation['area'] > 0 and not annotation.get('ignore')
        if not (annotation['category_id'] in wanted and shows and fits):
            left_out.append(annotation['id'])
    return tell_left_out(
        path,
        left_out,
        len(annotations),
        'of another category, marked to be ignored, without an area or outside their image',
    )
