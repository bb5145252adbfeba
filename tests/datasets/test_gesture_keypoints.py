"""Tables of signs: the split in time, and rows that are wrong."""

import numpy as np
import pytest
from helpers.gesture_table import gesture_rows, write_table

from handkp_plugins.datasets.hand import GestureKeypointDataset, gesture_keypoints


@pytest.fixture
def table(tmp_path):
    """Ten rows of each sign, the signs by turns as if recorded so."""
    rows = gesture_rows(10)
    return write_table(tmp_path / 'signs.csv', [rows[sign * 10 + i] for i in range(10) for sign in range(3)])


def rows_of(table, part, **options):
    dataset = GestureKeypointDataset(str(table), part, **options)
    return [(dataset.metainfo['classes'][d['labels']], d['rows']) for d in dataset]


def test_each_class_is_split_in_time(table):
    parts = {part: rows_of(table, part) for part in ('train', 'val', 'test')}
    assert {part: len(rows) for part, rows in parts.items()} == dict(train=21, val=3, test=6)
    for sign in ('open', 'fist', 'point'):
        lines = [[line for name, line in parts[part] if name == sign] for part in ('train', 'val', 'test')]
        assert max(lines[0]) < min(lines[1]) <= max(lines[1]) < min(lines[2])
    assert sorted(sum(parts.values(), [])) == sorted(rows_of(table, 'all'))


def test_a_sample_is_what_the_row_says(table):
    sample = GestureKeypointDataset(str(table), 'all')[4]
    cells = table.read_text().splitlines()[sample['rows'] - 1].split(',')
    assert sample['inputs'].shape == (21, 2) and sample['inputs'].dtype == np.float32
    assert sample['inputs'].ravel() == pytest.approx(np.array(cells[1:], float))
    assert cells[0] == 'fist' and sample['labels'] == 0  # the names, sorted
    assert set(sample) == {'inputs', 'labels', 'rows', 'sample_idx'}


def test_given_classes_set_the_order(table):
    dataset = GestureKeypointDataset(str(table), classes=['open', 'point', 'fist'])
    assert dataset.metainfo['classes'] == ('open', 'point', 'fist')
    assert dataset[0]['labels'] == 0


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (
            lambda lines: lines[:4] + [lines[4][:-20]] + lines[5:],
            r'signs\.csv: line 5: expected 42, as before',
        ),
        (
            lambda lines: lines[:6] + [lines[6].rsplit(',', 1)[0] + ',nan'] + lines[7:],
            r'signs\.csv: row 7: expected 21 finite keypoints',
        ),
        (
            lambda lines: lines + [lines[0].replace('open', 'wave')],
            r"csv: row 31: expected a label of .*got 'wave'",
        ),
        (
            lambda lines: [line for line in lines if 'fist' not in line],
            r"class 'fist': expected enough rows .*, got 0",
        ),
        (
            lambda lines: [line for line in lines if 'fist' not in line] + [lines[1]],
            r"class 'fist': expected enough rows for test .*, got 1",
        ),
    ],
)
def test_bad_rows_are_named(table, damage, message):
    table.write_text('\n'.join(damage(table.read_text().splitlines())) + '\n')
    with pytest.raises(ValueError, match=message):
        GestureKeypointDataset(str(table), 'test', classes=('open', 'fist', 'point'))


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (
            lambda lines: [*lines[:3], lines[3] + 'x', *lines[4:]],
            r"signs\.csv: line 4: expected one label, .* 'open' and",
        ),
        (
            lambda lines: [line.split(',', 1)[1] for line in lines],
            r'signs\.csv: expected labels of two or more classes',
        ),
        (lambda lines: [*lines[:5], 'ö' + lines[5], *lines[6:]], r'signs\.csv: line 6: expected text in UTF-8'),
    ],
)
def test_what_is_no_table_of_signs_is_named(table, damage, message):
    table.write_text('\n'.join(damage(table.read_text().splitlines())) + '\n', encoding='latin-1')
    with pytest.raises(ValueError, match=message):
        GestureKeypointDataset(str(table))


def test_bad_rows_can_be_left_out_and_are_logged(table, monkeypatch):
    told = []
    monkeypatch.setattr(gesture_keypoints, 'print_log', lambda text, **_: told.append(text))
    lines = table.read_text().splitlines()
    lines[4], lines[6] = lines[4][:-20], lines[6].rsplit(',', 1)[0] + ',nan'
    table.write_text('\n'.join(lines) + '\n')
    kept = {row for _, row in rows_of(table, 'all', skip_malformed=True)}
    assert kept == set(range(1, 31)) - {5, 7}
    assert len(told) == 1 and 'left out 2 of 30 rows' in told[0] and 'line 5' in told[0] and 'row 7' in told[0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(part='later'), "part: expected one of .* got 'later'"),
        (dict(shares=(0.9, 0.1)), r'shares: expected two numbers .* got \(0\.9, 0\.1\)'),
    ],
)
def test_bad_arguments(table, options, message):
    with pytest.raises(ValueError, match=message):
        GestureKeypointDataset(str(table), **options)
