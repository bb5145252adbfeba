"""A miniature of HGR1 as the converter's docstring describes it."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.converted import blank_image, load_converted
from helpers.tool_module import load_tool

from handkp_plugins.structures.skeleton import KEYPOINT_NAMES

hgr1 = load_tool('dataset_converters/hgr1')


@pytest.fixture
def hgr1_root(tmp_path) -> Path:
    """Six photographs, and a table of names."""
    for i in range(6):
        blank_image(tmp_path / 'original_images' / f'1_P_hgr1_id01_{i}.jpg')
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
    assert '1 skipped, no points: original_images/1_P_hgr1_id01_5.jpg' in account
    assert 'found 6' in capsys.readouterr().out
    paths = {name: hgr1_root / 'annotations' / f'{name}.json' for name in ('train', 'val', 'test')}
    assert {name: len(load_converted('HGR1Dataset', path, hgr1_root)) for name, path in paths.items()} == dict(
        train=3, val=1, test=1
    )
    info = load_converted('HGR1Dataset', paths['train'], hgr1_root).get_data_info(0)
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
    dataset = load_converted('HGR1Dataset', hgr1_root / 'annotations' / 'train.json', hgr1_root)
    info = dataset.get_data_info(0)
    assert info['keypoints'][0].tolist() == [[3 * k, k] for k in range(21)] and info['keypoints_visible'].all()


def test_hgr1_unknown_names_are_listed_all_at_once(hgr1_root):
    for i in range(3):
        write_xml(hgr1_root, i)
    with pytest.raises(
        ValueError,
        match=(
            r"1_P_hgr1_id01_0.xml: line 4: expected one of .*--names.*, got 'IndexFinger/Fingertip'. "
            r"All unknown names: 'IndexFinger/Fingertip' \(3\), 'Palm' \(3\), 'Wrist/A' \(3\), 'Wrist/B' \(3\)"
        ),
    ):
        hgr1.main(str(hgr1_root), str(hgr1_root / 'feature_points'))


@pytest.mark.parametrize(
    'lines, message',
    [
        (
            '\n<FeaturePoint x="1" category="Palm"/>',
            'line 4: expected a FeaturePoint with x, y, category and a hand, got no y',
        ),
        (
            '\n<FeaturePoint x="1" y="east" category="Wrist" type="A"/>',
            "line 4: y: expected a finite number, got 'east'",
        ),
        (
            '\n<FeaturePoint x="nan" y="1" category="Wrist" type="A"/>',
            "line 4: x: expected a finite number, got 'nan'",
        ),
        ('\n<FeaturePoint', 'line 5: expected XML, got text that does not parse'),
    ],
)
def test_hgr1_xml_errors_name_file_and_line(lines, message, hgr1_root):
    write_xml(hgr1_root, 0)
    write_xml(hgr1_root, 1, lines)
    with pytest.raises(ValueError, match=f'1_P_hgr1_id01_1.xml: {message}'):
        convert_xml(hgr1_root)


def test_hgr1_points_of_an_image_of_another_size_are_refused(hgr1_root):
    write_xml(hgr1_root, 0, size='WIDTH="640" HEIGHT="480"')
    with pytest.raises(ValueError, match=r'id01_0.xml: line 4: expected .* 64 × 48 pixels, as .*_0.jpg, got 640 × 480'):
        convert_xml(hgr1_root)


def test_hgr1_second_hand_is_counted(hgr1_root):
    for i in range(4):
        path = write_xml(hgr1_root, i)
    path.write_text(
        path.read_text().replace('<hand/>', '<hand><FeaturePoint x="9" y="9" category="Wrist" type="A"/></hand>')
    )
    assert '1 skipped, another hand in the same image' in convert_xml(hgr1_root)


@pytest.mark.parametrize(
    'row, message',
    [
        ('a.jpg,wrist,1', 'line 3: expected 5 values, got more or fewer'),
        ('a.jpg,wrist,1,2,1,9', 'line 3: expected 5 values, got more or fewer'),
        ('a.jpg,elbow,1,2,1', "line 3: expected one of .*--names.*, got 'elbow'"),
        ('a.jpg,wrist,1,,1', "line 3: y: expected a finite number, got ''"),
        ('a.jpg,wrist,1,2,yes', "line 3: visible: expected 0, 1 or 2, got 'yes'"),
        ('a.jpg,thumb1,1,2,1', 'line 3: expected one thumb1 of a.jpg, got a second one'),
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
        ('', r'points.csv: line 1: expected the header .* got \[\]'),
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
        ('{', 'names.json: expected names of keypoints in JSON, got text that does not parse'),
        ('[]', 'names.json: expected a JSON object of names, got list'),
    ],
)
def test_hgr1_bad_table_of_names(content, message, hgr1_root):
    write_xml(hgr1_root, 0)
    (hgr1_root / 'names.json').write_text(content)
    with pytest.raises(ValueError, match=message):
        convert_xml(hgr1_root)


def test_hgr1_missing_points(tmp_path):
    with pytest.raises(FileNotFoundError, match='points: expected an existing file or folder, got .*points.csv'):
        hgr1.main(str(tmp_path), str(tmp_path / 'points.csv'))
    with pytest.raises(FileNotFoundError, match=r'expected a folder with \*.xml files, got none'):
        hgr1.main(str(tmp_path), str(tmp_path))
