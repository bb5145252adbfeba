"""Convert HGR1, 899 photographs of hands with marked feature points, to COCO keypoint JSON for ``HGR1Dataset``.

**Untested on the originals**, which could not be had. Public programs that read them show: photographs of 174×131 to
640×480 pixels (``1_P_hgr1_id01_1.jpg``) and, for each, an XML file of the same name with 25 points, which differ in
``category`` and ``type``. Only the names ``Wrist`` (a category of two points) and ``IndexFinger`` with ``Fingertip``
are certain. So a table must say which of our 21 keypoints each point is.

Usage:
    python tools/dataset_converters/hgr1.py data/hgr1 data/hgr1/feature_points --names names.json
    python tools/dataset_converters/hgr1.py data/hgr1 data/hgr1/points.csv

Input:
    data/hgr1/
        original_images/*.jpg
        feature_points/*.xml   <IMAGE WIDTH="640" HEIGHT="480"> <hand> <FeaturePoint x="12" y="40"
                               category="IndexFinger" type="Fingertip"/> ... </hand> </IMAGE>
        points.csv             or instead a table with the header image,keypoint,x,y[,visible]

    x, y are pixels from the image's top left; ``visible`` is 0 (unlabelled), 1 or 2. Keypoints without a point are
    unlabelled. A point of the XML has the name ``category/type``; the table may use any names. names.json maps names to
    our keypoints (wrist, thumb1 ... pinky_finger4, each finger from its root to its tip), as in
    {"IndexFinger/Fingertip": "forefinger4", "Wrist/A": "wrist", "Wrist/B": "wrist", "Palm": null}: null leaves a point
    out, and points of the same keypoint are averaged. Our own names need no entry. Names without an entry are an error
    that lists them all.

Output:
    data/hgr1/annotations/{train,val,test}.json    8:1:1 with a fixed seed; images stay where they are

Ends with the number of images found, converted and skipped. To look at the result: MMPose's
``tools/misc/browse_dataset.py CONFIG``.
"""

import csv
import math
import xml.sax
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from conversion import Conversion, make_parser, run
from tqdm import tqdm

from handkp_plugins.fileio.coco import Record, split_8_1_1
from handkp_plugins.fileio.json import read_json
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES

_COLUMNS = ('image', 'keypoint', 'x', 'y')


@dataclass
class _Point:
    where: str
    name: str
    x: str
    y: str
    visible: str = '1'


@dataclass
class _Hand:
    """The marked points of one hand; ``size`` is the image's [W, H] if the file has it."""

    image: str
    size: tuple[str, str] | None = None
    points: list[_Point] = field(default_factory=list)


def main(root: str, points: str, names: str | None = None, images: str = 'original_images', seed: int = 0) -> str:
    """Convert the points, and return the printed account.

    Args:
        root: The dataset's folder.
        points: CSV file, XML file or folder of XML files.
        names: JSON file that maps point names to our keypoints or to null.
        images: Folder of the photographs, relative to root.
        seed: Seed of the 8:1:1 split.

    Raises:
        FileNotFoundError: There are no points, or no table of names.
        ValueError: A file is malformed; the message names file and line.
    """
    base, source = Path(root), Path(points)
    if not source.exists():
        raise FileNotFoundError(f'points: expected an existing file or folder, got {source}')
    hands = list(_read_csv(source) if source.suffix == '.csv' else _read_xml(source))
    table = _read_names(names)
    _check_names(hands, table, source)

    conversion = Conversion(base)
    records: dict[str, Record] = {}
    for hand in tqdm(hands, unit='image'):
        name = f'{images}/{hand.image}'
        if name in records:
            conversion.skip(name, 'another hand in the same image')
            continue
        record = conversion.record(name, _keypoints(hand, table))
        if record is None:
            continue
        size = (str(record[0]['width']), str(record[0]['height']))
        if hand.size not in (None, size):
            raise ValueError(
                f'{hand.points[0].where}: expected points in an image of {" × ".join(size)} pixels, as {base / name}, '
                f'got {" × ".join(hand.size)}'
            )
        records[name] = record
    marked = {hand.image for hand in hands}
    for path in sorted((base / images).glob('*.jpg')):
        if path.name not in marked:
            conversion.skip(f'{images}/{path.name}', 'no points')
    conversion.report()
    splits = split_8_1_1(records, seed)
    return conversion.write({split: [records[key] for key in keys] for split, keys in splits.items()}, 'HGR1')


def _read_csv(path: Path) -> Iterator[_Hand]:
    hands: dict[str, _Hand] = {}
    with path.open(newline='', encoding='utf-8-sig') as file:
        rows = csv.DictReader(file)
        columns = rows.fieldnames or []
        if not set(_COLUMNS) <= set(columns):
            raise ValueError(f'{path}: line 1: expected the header {",".join(_COLUMNS)}[,visible], got {columns}')
        for row in rows:
            where = f'{path}: line {rows.line_num}'
            if None in row or None in row.values():
                raise ValueError(f'{where}: expected {len(columns)} values, got more or fewer')
            image, name, x, y = (row[key].strip() for key in _COLUMNS)
            point = _Point(where, name, x, y, row.get('visible', '1').strip())
            hands.setdefault(image, _Hand(image)).points.append(point)
    yield from hands.values()


class _HandHandler(xml.sax.ContentHandler):
    """Gathers the points of each <hand> element, with the lines that they stand in."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.size, self.hands = path, None, []

    def startElement(self, tag: str, attributes: xml.sax.xmlreader.AttributesImpl) -> None:
        if tag == 'IMAGE' and 'WIDTH' in attributes and 'HEIGHT' in attributes:
            self.size = (attributes['WIDTH'], attributes['HEIGHT'])
        elif tag == 'hand':
            self.hands.append(_Hand(f'{self.path.stem}.jpg', self.size))
        elif tag == 'FeaturePoint':
            where = f'{self.path}: line {self._locator.getLineNumber()}'
            missing = [key for key in ('x', 'y', 'category') if key not in attributes]
            if missing or not self.hands:
                lacking = ', '.join(missing) or 'hand'
                raise ValueError(f'{where}: expected a FeaturePoint with x, y, category and a hand, got no {lacking}')
            name = '/'.join(attributes[key] for key in ('category', 'type') if attributes.get(key))
            self.hands[-1].points.append(_Point(where, name, attributes['x'], attributes['y']))


def _read_xml(source: Path) -> Iterator[_Hand]:
    files = sorted(source.glob('*.xml')) if source.is_dir() else [source]
    if not files:
        raise FileNotFoundError(f'{source}: expected a folder with *.xml files, got none')
    for path in files:
        handler = _HandHandler(path)
        try:
            xml.sax.parse(str(path), handler)
        except xml.sax.SAXParseException as e:
            where = f'{path}: line {e.getLineNumber()}'
            raise ValueError(f'{where}: expected XML, got text that does not parse ({e.getMessage()})') from None
        hands = [hand for hand in handler.hands if hand.points]  # an empty <hand> is known to occur
        yield from hands or [_Hand(f'{path.stem}.jpg')]


def _read_names(path: str | None) -> dict[str, str | None]:
    """Return the keypoint of each point name; our own names stand for themselves."""
    table: dict[str, str | None] = {name: name for name in KEYPOINT_NAMES}
    if path is None:
        return table
    renamed = read_json(path, 'names of keypoints')
    if not isinstance(renamed, dict):
        raise ValueError(f'{path}: expected a JSON object of names, got {type(renamed).__name__}')
    for name, target in renamed.items():
        if target is not None and target not in KEYPOINT_NAMES:
            raise ValueError(f'{path}: {name!r}: expected null or one of {KEYPOINT_NAMES}, got {target!r}')
    return {**table, **renamed}


def _check_names(hands: list[_Hand], table: dict[str, str | None], source: Path) -> None:
    points = [point for hand in hands for point in hand.points]
    if not points:
        raise ValueError(f'{source}: expected one or more points, got none')
    unknown = [point for point in points if point.name not in table]
    if unknown:
        counts = ', '.join(f'{name!r} ({count})' for name, count in sorted(Counter(p.name for p in unknown).items()))
        raise ValueError(
            f'{unknown[0].where}: expected one of {KEYPOINT_NAMES} or a name in the table (--names), '
            f'got {unknown[0].name!r}. All unknown names: {counts}'
        )


def _keypoints(hand: _Hand, table: dict[str, str | None]) -> np.ndarray:
    """Return x, y and visibility of the keypoints, (21, 3)."""
    marks: dict[str, list[tuple[float, float, int]]] = {}
    for point in hand.points:
        target = table[point.name]
        if target is None:
            continue
        if target in marks and point.name == target:
            raise ValueError(f'{point.where}: expected one {target} of {hand.image}, got a second one')
        if point.visible not in ('0', '1', '2'):
            raise ValueError(f'{point.where}: visible: expected 0, 1 or 2, got {point.visible!r}')
        mark = _coordinate(point, 'x'), _coordinate(point, 'y'), int(point.visible)
        marks.setdefault(target, []).append(mark)
    keypoints = np.zeros((len(KEYPOINT_NAMES), 3))
    for target, several in marks.items():
        visibility = min(v for _, _, v in several)
        keypoints[KEYPOINT_NAMES.index(target)] = *np.mean(several, axis=0)[:2], visibility
    return keypoints


def _coordinate(point: _Point, axis: str) -> float:
    text = getattr(point, axis)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f'{point.where}: {axis}: expected a finite number, got {text!r}')
    return value


if __name__ == '__main__':
    parser = make_parser(__doc__)
    parser.add_argument('points', help='CSV file, XML file or folder of XML files')
    parser.add_argument('--names', help='JSON file that maps point names to our keypoints or to null')
    parser.add_argument('--images', default='original_images', help='folder of the photographs, relative to root')
    parser.add_argument('--seed', type=int, default=0, help='seed of the 8:1:1 split (default %(default)s)')
    run(main, parser)
