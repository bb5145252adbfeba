"""Miniature inputs of exactly the formats that the converters' docstrings describe."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.tool_module import load_tool
from mmpose.registry import DATASETS

from handkp_plugins.datasets.checks.keypoint_files import check_annotation_file
from handkp_plugins.fileio.coco import CocoRecorder, split_8_1_1, write_coco
from handkp_plugins.structures.skeleton import KEYPOINT_NAMES

hgr1, panoptic = load_tool('dataset_converters/hgr1'), load_tool('dataset_converters/panoptic')


def write_image(path: Path, width: int = 64, height: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), 99, np.uint8))


def points(offset: float = 0, valid: float = 1) -> list[list[float]]:
    """Keypoint k at (offset + k, 2k)."""
    return [[offset + k, 2.0 * k, valid] for k in range(21)]


def load(dataset: str, path: Path, root: Path):
    assert check_annotation_file(str(path)) > 0
    return DATASETS.build(dict(type=dataset, ann_file=str(path), data_prefix=dict(img=f'{root}/')))


# ---------------------------------------------------------------- shared code


def test_split_is_8_1_1_complete_and_blind_to_the_order_of_its_input():
    names = [f'{i:04d}.jpg' for i in range(899)]
    split = split_8_1_1(names)
    assert {k: len(v) for k, v in split.items()} == dict(train=719, val=90, test=90)
    assert sorted(sum(split.values(), [])) == names
    assert split_8_1_1(reversed(names)) == split
    assert split_8_1_1(names, seed=1) != split
    assert {k: len(v) for k, v in split_8_1_1(names[:3]).items()} == dict(train=1, val=1, test=1)


def test_split_of_two_is_refused():
    with pytest.raises(ValueError, match='expected 3 or more images, got 2'):
        split_8_1_1('ab')


def test_nothing_to_write_is_refused(tmp_path):
    with pytest.raises(ValueError, match='a.json: expected one or more hands'):
        write_coco(tmp_path / 'a.json', [], '')
    assert not list(tmp_path.iterdir())


def test_record_equals_mmposes_own_panoptic_file(real_data):
    folder = real_data / 'real_samples' / 'panoptic'
    theirs = json.loads((folder / 'test_panoptic.json').read_text())
    names = {image['id']: image['file_name'] for image in theirs['images']}
    assert len(theirs['annotations']) == 4
    for annotation in theirs['annotations']:
        keypoints = np.array(annotation['keypoints']).reshape(21, 3)
        image, ours = CocoRecorder(folder).record(names[annotation['image_id']], keypoints)
        for key in ('bbox', 'center', 'area', 'keypoints', 'iscrowd', 'category_id'):
            assert ours[key] == pytest.approx(annotation[key]), key
        assert ours['segmentation'][0] == pytest.approx(annotation['segmentation'][0])


# ---------------------------------------------------------------- CMU Panoptic


@pytest.fixture
def cmu(tmp_path) -> Path:
    """hand_labels, hand_labels_synth and hand143_panopticdb as unpacked."""
    for part, extra in dict(manual_train=dict(is_left=1, head_size=140.0), manual_test=dict(is_left=0)).items():
        for i in range(2):
            file = tmp_path / 'hand_labels' / part / f'00001577{i}_01_l.json'
            write_image(file.with_suffix('.jpg'))
            file.write_text(json.dumps(dict(hand_pts=points(5), hand_box_center=[15, 20], **extra)))
    for part in ('synth1', 'synth2', 'synth3', 'synth4'):
        for i in range(5):
            file = tmp_path / 'hand_labels_synth' / part / f'{i:04d}.json'
            write_image(file.with_suffix('.jpg'))
            file.write_text(json.dumps(dict(version=1.0, hand_pts=points(i), is_left=1)))
    dome = tmp_path / 'hand143_panopticdb'
    write_image(dome / 'imgs' / '00000000.jpg')
    dome_points = [*points(9)[:20], [7, 7, 0]]
    entry = dict(dataset='hand21', img_paths='imgs/00000000.jpg', img_width=64, img_height=48, joint_self=dome_points)
    (dome / 'hands_v143_14817.json').write_text(json.dumps(dict(root=[entry])))
    return tmp_path


def test_panoptic_in_mmposes_split(cmu, capsys):
    account = panoptic.main(str(cmu))
    assert account.endswith('found 5, converted 5, skipped 0 hands') and account in capsys.readouterr().out
    train = load('PanopticHand2DDataset', cmu / 'annotations' / 'panoptic_train.json', cmu)
    assert len(train) == 3 and len(load('PanopticHand2DDataset', cmu / 'annotations' / 'panoptic_test.json', cmu)) == 2
    dome, manual = train.get_data_info(0), train.get_data_info(1)
    assert Path(dome['img_path']) == cmu / 'hand143_panopticdb' / 'imgs' / '00000000.jpg'
    assert Path(manual['img_path']) == cmu / 'hand_labels' / 'manual_train' / '000015770_01_l.jpg'
    assert Path(manual['img_path']).is_file()
    assert dome['keypoints_visible'][0].sum() == 20 and dome['keypoints'][0, 20].tolist() == [0, 0]
    assert (dome['head_size'], manual['head_size']) == (0, 140)
    assert manual['bbox'][0].tolist() == [5, 0, 26, 41]
    written = json.loads((cmu / 'annotations' / 'panoptic_train.json').read_text())
    assert [a.get('handedness') for a in written['annotations']] == [None, 'left', 'left']


def test_panoptic_synthetic_parts_are_split(cmu):
    panoptic.main(str(cmu), set_name='synthetic')
    sizes, names = {}, []
    for split in ('train', 'val', 'test'):
        dataset = load('PanopticHand2DDataset', cmu / 'annotations' / f'synth_{split}.json', cmu)
        sizes[split] = len(dataset)
        names += [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    assert sizes == dict(train=11, val=2, test=2)  # of synth2, synth3 and synth4, five each
    assert len(set(names)) == 15 and not any('synth1' in name for name in names)


def test_panoptic_counts_and_names_what_it_skips(cmu):
    folder = cmu / 'hand_labels' / 'manual_train'
    (folder / '000015770_01_l.jpg').write_bytes(b'')
    write_image(folder / 'cut.jpg')
    (folder / 'cut.jpg').write_bytes((folder / 'cut.jpg').read_bytes()[:-20])
    (folder / 'cut.json').write_text(json.dumps(dict(hand_pts=points())))
    (folder / '000015771_01_l.json').write_text(json.dumps(dict(hand_pts=points(valid=0))))
    (folder / 'gone.json').write_text(json.dumps(dict(hand_pts=points())))
    write_image(folder / 'bare.jpg')
    (folder / 'far.json').write_text(json.dumps(dict(hand_pts=points(500))))
    write_image(folder / 'far.jpg')
    account = panoptic.main(str(cmu))
    assert 'found 9, converted 3, skipped 6 hands' in account
    for reason in (
        '1 skipped, the file is empty: hand_labels/manual_train/000015770_01_l.jpg',
        '1 skipped, truncated JPEG: its end marker is missing: hand_labels/manual_train/cut.jpg',
        '2 skipped, no labelled keypoint: hand_labels/manual_train/000015771_01_l.jpg, hand',
        '1 skipped, no such image: hand_labels/manual_train/gone.jpg',
        '1 skipped, all keypoints outside the image: hand_labels/manual_train/far.jpg',
    ):
        assert reason in account


@pytest.mark.parametrize(
    'content, message',
    [
        ('{"hand_pts": expected [[1, 2', 'does not parse'),
        ('[]', 'a JSON object, got a list'),
        ('{}', 'hand_pts: expected 21 lists of 3 numbers, got None'),
        (json.dumps(dict(hand_pts=points()[:20])), r'hand_pts: expected 21 lists of 3 numbers, .* \(20, 3\)'),
        (json.dumps(dict(hand_pts=[['a', 1, 1]] * 21)), 'hand_pts: expected 21 lists of 3 numbers'),
        (json.dumps(dict(hand_pts=[[float('nan'), 1, 1]] * 21)), 'hand_pts: expected finite coordinates'),
    ],
)
def test_panoptic_errors_name_the_file(content, message, cmu):
    (cmu / 'hand_labels' / 'manual_test' / '000015771_01_l.json').write_text(content)
    with pytest.raises(ValueError, match=f'manual_test/000015771_01_l.json: .*{message}'):
        panoptic.main(str(cmu))


def test_panoptic_errors_in_the_dome_name_the_entry(cmu):
    file = cmu / 'hand143_panopticdb' / 'hands_v143_14817.json'
    file.write_text(json.dumps(dict(root=[dict(img_paths='imgs/00000000.jpg', joint_self=[])])))
    with pytest.raises(ValueError, match=r'hands_v143_14817.json: root\[0\]: joint_self: 21 lists'):
        panoptic.main(str(cmu))
    file.write_text(json.dumps(dict(root=[5])))
    with pytest.raises(ValueError, match=r"root\[0\]: an object with the string 'img_paths' is allowed"):
        panoptic.main(str(cmu))
    file.unlink()
    with pytest.raises(FileNotFoundError, match='hands_v143_14817.json: no such file'):
        panoptic.main(str(cmu))


def test_panoptic_missing_part_and_wrong_set(tmp_path):
    with pytest.raises(FileNotFoundError, match='hand_labels_synth/synth2: a folder with .* is required'):
        panoptic.main(str(tmp_path), set_name='synthetic')
    with pytest.raises(ValueError, match="set_name: expected 'mmpose' or 'synthetic', got 'all'"):
        panoptic.main(str(tmp_path), set_name='all')


# ---------------------------------------------------------------- HGR1


@pytest.fixture
def hgr1_root(tmp_path) -> Path:
    """Six photographs, and a table of names."""
    for i in range(6):
        write_image(tmp_path / 'original_images' / f'1_P_hgr1_id01_{i}.jpg')
    names = {'IndexFinger/Fingertip': 'forefinger4', 'Wrist/A': 'wrist', 'Wrist/B': 'wrist', 'Palm': None}
    (tmp_path / 'names.json').write_text(json.dumps(names))
    return tmp_path


def write_xml(root: Path, i: int, lines: str | None = None, size: str = 'WIDTH="64" HEIGHT="48"') -> Path:
    lines = (
        lines
        if lines is not None
        else f"""
            <FeaturePoint x="{10 + i}" y="20" category="IndexFinger" type="Fingertip"/>
            <FeaturePoint x="20" y="40" category="Wrist" type="A"/>
            <FeaturePoint x="30" y="44" category="Wrist" type="B"/>
            <FeaturePoint x="1" y="2" category="Palm"/>"""
    )
    path = root / 'feature_points' / f'1_P_hgr1_id01_{i}.xml'
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'<?xml version="1.0"?>\n<IMAGE {size}>\n<hand>{lines}\n</hand>\n<hand/>\n</IMAGE>\n')
    return path


def convert_xml(root: Path) -> str:
    return hgr1.main(str(root), str(root / 'feature_points'), names=str(root / 'names.json'))


def test_hgr1_xml(hgr1_root, capsys):
    for i in range(5):
        write_xml(hgr1_root, i)
    account = convert_xml(hgr1_root)
    assert account.startswith('found 6, converted 5, skipped 1 hands')
    assert '1 skipped, no points are given: original_images/1_P_hgr1_id01_5.jpg' in account
    assert 'found 6' in capsys.readouterr().out
    paths = {name: hgr1_root / 'annotations' / f'{name}.json' for name in ('train', 'val', 'test')}
    assert {name: len(load('HGR1Dataset', path, hgr1_root)) for name, path in paths.items()} == dict(
        train=3, val=1, test=1
    )
    info = load('HGR1Dataset', paths['train'], hgr1_root).get_data_info(0)
    assert Path(info['img_path']).is_file()
    labelled = np.flatnonzero(info['keypoints_visible'][0]).tolist()
    assert labelled == [0, KEYPOINT_NAMES.index('forefinger4')]
    assert info['keypoints'][0, 0].tolist() == [25, 42]  # the mean of both sides of the wrist
    i = int(Path(info['img_path']).stem[-1])
    assert info['keypoints'][0, 8].tolist() == [10 + i, 20]


def test_hgr1_csv(hgr1_root):
    rows = ['image,keypoint,x,y,visible']
    for i in range(4):
        rows += [f'1_P_hgr1_id01_{i}.jpg,{name},{3 * k},{k},{1 + k % 2}' for k, name in enumerate(KEYPOINT_NAMES)]
    rows.append('nowhere.jpg,wrist,1.5,2,0')
    table = hgr1_root / 'points.csv'
    table.write_text('\n'.join(rows) + '\n')
    account = hgr1.main(str(hgr1_root), str(table))
    assert account.startswith('found 7, converted 4, skipped 3 hands')
    assert '1 skipped, no such image: original_images/nowhere.jpg' in account
    dataset = load('HGR1Dataset', hgr1_root / 'annotations' / 'train.json', hgr1_root)
    info = dataset.get_data_info(0)
    assert info['keypoints'][0].tolist() == [[3 * k, k] for k in range(21)] and info['keypoints_visible'].all()


def test_hgr1_unknown_names_are_listed_all_at_once(hgr1_root):
    for i in range(3):
        write_xml(hgr1_root, i)
    with pytest.raises(
        ValueError,
        match=(
            r"1_P_hgr1_id01_0.xml: line 4: the name 'IndexFinger/Fingertip' is unknown; .*"
            r"All unknown names: 'IndexFinger/Fingertip' \(3\), 'Palm' \(3\), 'Wrist/A' \(3\), 'Wrist/B' \(3\)"
        ),
    ):
        hgr1.main(str(hgr1_root), str(hgr1_root / 'feature_points'))


@pytest.mark.parametrize(
    'lines, message',
    [
        ('\n<FeaturePoint x="1" category="Palm"/>', r"line 4: a FeaturePoint needs .*; missing: \['y'\]"),
        (
            '\n<FeaturePoint x="1" y="east" category="Wrist" type="A"/>',
            "line 4: y: expected a finite number .* got 'east'",
        ),
        (
            '\n<FeaturePoint x="nan" y="1" category="Wrist" type="A"/>',
            "line 4: x: expected a finite number .* got 'nan'",
        ),
        ('\n<FeaturePoint', 'line 5: it does not parse as XML'),
    ],
)
def test_hgr1_xml_errors_name_file_and_line(lines, message, hgr1_root):
    write_xml(hgr1_root, 0)
    write_xml(hgr1_root, 1, lines)
    with pytest.raises(ValueError, match=f'1_P_hgr1_id01_1.xml: {message}'):
        convert_xml(hgr1_root)


def test_hgr1_points_of_an_image_of_another_size_are_refused(hgr1_root):
    write_xml(hgr1_root, 0, size='WIDTH="640" HEIGHT="480"')
    with pytest.raises(ValueError, match=r'id01_0.xml: line 4: points for an image of 640 × 480 .*_0.jpg has 64 × 48'):
        convert_xml(hgr1_root)


def test_hgr1_second_hand_is_counted(hgr1_root):
    for i in range(4):
        path = write_xml(hgr1_root, i)
    path.write_text(
        path.read_text().replace('<hand/>', '<hand><FeaturePoint x="9" y="9" category="Wrist" type="A"/></hand>')
    )
    assert '1 skipped, a further hand in an image that has one already' in convert_xml(hgr1_root)


@pytest.mark.parametrize(
    'row, message',
    [
        ('a.jpg,wrist,1', 'line 3: expected 5 values, got more or fewer'),
        ('a.jpg,wrist,1,2,1,9', 'line 3: expected 5 values, got more or fewer'),
        ('a.jpg,elbow,1,2,1', "line 3: the name 'elbow' is unknown; .*--names"),
        ('a.jpg,wrist,1,,1', "line 3: y: expected a finite number, got ''"),
        ('a.jpg,wrist,1,2,yes', "line 3: visible: expected 0, 1 or 2, got 'yes'"),
        ('a.jpg,thumb1,1,2,1', 'line 3: thumb1 of a.jpg is given for the second time'),
    ],
)
def test_hgr1_csv_errors_name_file_and_line(row, message, tmp_path):
    table = tmp_path / 'points.csv'
    table.write_text(f'image,keypoint,x,y,visible\na.jpg,thumb1,1,2,1\n{row}\n')
    with pytest.raises(ValueError, match=f'points.csv: {message}'):
        hgr1.main(str(tmp_path), str(table))


@pytest.mark.parametrize(
    'content, message',
    [
        (
            'image;keypoint;x;y\n',
            r'points.csv: line 1: expected the header image,keypoint,x,y\[,visible\], got',
        ),
        ('', r'points.csv: line 1: the header .* got \[\]'),
        ('image,keypoint,x,y\n', 'points.csv: expected one or more points, got none'),
    ],
)
def test_hgr1_bad_tables(content, message, tmp_path):
    (tmp_path / 'points.csv').write_text(content)
    with pytest.raises(ValueError, match=message):
        hgr1.main(str(tmp_path), str(tmp_path / 'points.csv'))


@pytest.mark.parametrize(
    'content, message',
    [
        ('{"a": "elbow"}', "names.json: 'a': expected null or one of .*, got 'elbow'"),
        ('{', 'names.json: expected JSON, which does not parse'),
        ('[]', 'names.json: expected a JSON object of names, got a list'),
    ],
)
def test_hgr1_bad_table_of_names(content, message, hgr1_root):
    write_xml(hgr1_root, 0)
    (hgr1_root / 'names.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        convert_xml(hgr1_root)


def test_hgr1_missing_points(tmp_path):
    with pytest.raises(FileNotFoundError, match='points.csv: no such file or folder of points'):
        hgr1.main(str(tmp_path), str(tmp_path / 'points.csv'))
    with pytest.raises(FileNotFoundError, match=r'a folder with \*.xml files is required'):
        hgr1.main(str(tmp_path), str(tmp_path))
