"""Readers of recorded keypoints: each format, and what malformed files are answered with."""

import json

import numpy as np
import pytest

from handkp_plugins.fileio.keypoint_tables import read_keypoint_table

HANDS = np.random.default_rng(0).uniform(-1, 1, (3, 21, 3))


def line(*cells: object) -> str:
    return ','.join(map(str, cells)) + '\n'


def test_arrays(tmp_path):
    np.save(tmp_path / 'a.npy', HANDS.astype(np.float32))
    read = read_keypoint_table(tmp_path / 'a.npy')
    assert np.allclose(read.keypoints, HANDS, atol=1e-6) and read.names.tolist() == ['a'] * 3
    np.savez(tmp_path / 'b.npz', x=HANDS.reshape(3, 63), y=np.array(['A', 'B', 'C']), name=np.array(['1', '2', '3']))
    read = read_keypoint_table(tmp_path / 'b.npz')
    assert np.allclose(read.keypoints, HANDS) and read.names.tolist() == ['A', 'B', 'C']
    np.savez(tmp_path / 'c.npz', p=HANDS[..., :2], name=np.array(['1', '2', '3']), size=np.arange(3))
    read = read_keypoint_table(tmp_path / 'c.npz').every(2)
    assert read.keypoints.shape == (2, 21, 2) and read.names.tolist() == ['1', '3'] and read.rows.tolist() == [0, 2]


def test_arrays_that_hold_no_keypoints(tmp_path):
    np.savez(tmp_path / 'a.npz', p=HANDS, q=HANDS)
    with pytest.raises(ValueError, match=r"a\.npz: expected one array with .* got {'p': 'float64 \(3, 21, 3\)', 'q'"):
        read_keypoint_table(tmp_path / 'a.npz')
    np.savez(tmp_path / 'a.npz', p=np.array([None], dtype=object))
    with pytest.raises(ValueError, match=r'a\.npz: expected arrays of numbers and strings'):
        read_keypoint_table(tmp_path / 'a.npz')
    (tmp_path / 'a.npy').write_bytes(b'')
    with pytest.raises(ValueError, match=r'a\.npy: expected arrays of numbers'):
        read_keypoint_table(tmp_path / 'a.npy')
    np.save(tmp_path / 'a.npy', HANDS[:0])
    with pytest.raises(ValueError, match=r'a\.npy: expected one or more records'):
        read_keypoint_table(tmp_path / 'a.npy')


def test_json_with_frames_without_a_hand(tmp_path):
    path = tmp_path / 'video.json'
    path.write_text(json.dumps([HANDS[0].tolist(), None, HANDS[2].tolist()]))
    usable, without = read_keypoint_table(path).usable()
    assert np.allclose(usable.keypoints, HANDS[[0, 2]]) and usable.rows.tolist() == [0, 2] and without == [1]
    for records, reason in (
        ([HANDS[0].tolist(), HANDS[1, :20].tolist()], r'row 1: expected rows of .* got \(20, 3\)'),
        ([HANDS[0].tolist(), HANDS[1, :, :2].tolist()], r'row 1: .* as in the rows before, got \(21, 2\)'),
        ([HANDS[0].tolist(), [['x', 1]]], 'row 1: expected 21 lists of numbers'),
        ([3], r'row 0: .* got \(\)'),
        ({'frames': []}, 'expected a list of records, got dict'),
        ([], 'expected one or more records'),
    ):
        path.write_text(json.dumps(records))
        with pytest.raises(ValueError, match=rf'video\.json: {reason}'):
            read_keypoint_table(path)
    path.write_text('[[')
    with pytest.raises(ValueError, match=r'video\.json: expected a list of records in JSON, got text'):
        read_keypoint_table(path)


def test_tables_of_gestures(tmp_path):
    path, flat = tmp_path / 'keypoint.csv', HANDS[..., :2].reshape(3, 42)
    path.write_text(line(0, *flat[0]) + line(1, *flat[1]) + '\n' + line(7, *flat[2]))
    (tmp_path / 'keypoint_classifier_label.csv').write_text('\ufeffOpen\nClose\n')
    read = read_keypoint_table(path)
    assert np.allclose(read.keypoints, HANDS[..., :2])
    assert read.names.tolist() == ['Open', 'Close', '7'] and read.rows.tolist() == [1, 2, 4]


def test_tables_with_headings_and_labels_behind(tmp_path):
    path, flat = tmp_path / 'letters.csv', HANDS.reshape(3, 63)
    path.write_text(line(*[f'x{i}' for i in range(63)], 'letter') + line(*flat[0], 'A') + line(*flat[1], 'B'))
    read = read_keypoint_table(path)
    assert np.allclose(read.keypoints, HANDS[:2]) and read.names.tolist() == ['A', 'B']
    path.write_text(line(*flat[0]) + line(*flat[1, :10], '', *flat[1, 11:]) + line(*[0.5] * 63))
    usable, without = read_keypoint_table(path).usable()
    assert usable.rows.tolist() == [1] and without == [2, 3] and usable.names.tolist() == ['letters']


def test_malformed_rows_of_tables(tmp_path):
    path, flat = tmp_path / 'a.csv', HANDS[..., :2].reshape(3, 42)
    path.write_text(line(0, *flat[0]) + line(0, *flat[1], *flat[2]) + line(0, *flat[1, :5], 'x', *flat[1, 6:]))
    with pytest.raises(ValueError, match=r'a\.csv: line 2: expected 42, as before, numbers and a label, got 85 cells'):
        read_keypoint_table(path)
    read = read_keypoint_table(path, skip_malformed=True)
    assert read.rows.tolist() == [1] and len(read.malformed) == 2
    assert read.malformed[1] == "line 3: expected numbers, got 'x' in cell 7"
    path.write_text(line(1, 2, 3))
    with pytest.raises(ValueError, match=r'a\.csv: line 1: expected 42 or 63 numbers and a label, got 3 cells'):
        read_keypoint_table(path)
    with pytest.raises(ValueError, match=r'a\.csv: expected one or more records'):
        read_keypoint_table(path, skip_malformed=True)


def test_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.csv'):
        read_keypoint_table(tmp_path / 'none.csv')
    (tmp_path / 'a.txt').write_text('')
    with pytest.raises(ValueError, match=r'expected a file \.csv, \.json, \.npy, \.npz, got .*a\.txt'):
        read_keypoint_table(tmp_path / 'a.txt')


def test_a_number_as_label_behind_the_others_is_no_keypoint(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text(line(*HANDS[0, :, :2].ravel(), 3))
    with pytest.raises(ValueError, match='line 1: expected a whole number as the label before the others'):
        read_keypoint_table(path)
