"""A miniature of the CMU Panoptic sets as the converter's docstring describes them."""

import json
from pathlib import Path

import pytest
from helpers.converted import blank_image, load_converted
from helpers.tool_module import load_tool

panoptic = load_tool('dataset_converters/panoptic')


def points(offset: float = 0, valid: float = 1) -> list[list[float]]:
    """Keypoint k at (offset + k, 2k)."""
    return [[offset + k, 2.0 * k, valid] for k in range(21)]


@pytest.fixture
def cmu(tmp_path) -> Path:
    """hand_labels, hand_labels_synth and hand143_panopticdb as unpacked."""
    for part, extra in dict(manual_train=dict(is_left=1, head_size=140.0), manual_test=dict(is_left=0)).items():
        for i in range(2):
            file = tmp_path / 'hand_labels' / part / f'00001577{i}_01_l.json'
            blank_image(file.with_suffix('.jpg'))
            file.write_text(json.dumps(dict(hand_pts=points(5), hand_box_center=[15, 20], **extra)))
    for part in ('synth1', 'synth2', 'synth3', 'synth4'):
        for i in range(5):
            file = tmp_path / 'hand_labels_synth' / part / f'{i:04d}.json'
            blank_image(file.with_suffix('.jpg'))
            file.write_text(json.dumps(dict(version=1.0, hand_pts=points(i), is_left=1)))
    dome = tmp_path / 'hand143_panopticdb'
    blank_image(dome / 'imgs' / '00000000.jpg')
    dome_points = [*points(9)[:20], [7, 7, 0]]
    entry = dict(dataset='hand21', img_paths='imgs/00000000.jpg', img_width=64, img_height=48, joint_self=dome_points)
    (dome / 'hands_v143_14817.json').write_text(json.dumps(dict(root=[entry])))
    return tmp_path


def test_panoptic_in_mmposes_split(cmu, capsys):
    account = panoptic.main(str(cmu))
    assert account.startswith('found 5, converted 5, skipped 0 hands') and account in capsys.readouterr().out
    train = load_converted('PanopticHand2DDataset', cmu / 'annotations' / 'panoptic_train.json', cmu)
    test = load_converted('PanopticHand2DDataset', cmu / 'annotations' / 'panoptic_test.json', cmu)
    assert (len(train), len(test)) == (3, 2)
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
        dataset = load_converted('PanopticHand2DDataset', cmu / 'annotations' / f'synth_{split}.json', cmu)
        sizes[split] = len(dataset)
        names += [dataset.get_data_info(i)['img_path'] for i in range(len(dataset))]
    assert sizes == dict(train=11, val=2, test=2)  # of synth2, synth3 and synth4, five each
    assert len(set(names)) == 15 and not any('synth1' in name for name in names)


def test_panoptic_counts_and_names_what_it_skips(cmu):
    folder = cmu / 'hand_labels' / 'manual_train'
    (folder / '000015770_01_l.jpg').write_bytes(b'')
    blank_image(folder / 'cut.jpg')
    (folder / 'cut.jpg').write_bytes((folder / 'cut.jpg').read_bytes()[:-20])
    (folder / 'cut.json').write_text(json.dumps(dict(hand_pts=points())))
    (folder / '000015771_01_l.json').write_text(json.dumps(dict(hand_pts=points(valid=0))))
    (folder / 'gone.json').write_text(json.dumps(dict(hand_pts=points())))
    blank_image(folder / 'bare.jpg')
    (folder / 'far.json').write_text(json.dumps(dict(hand_pts=points(500))))
    blank_image(folder / 'far.jpg')
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
        ('{"hand_pts": [[1, 2', 'does not parse'),
        ('[]', 'a JSON object, got list'),
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
    with pytest.raises(ValueError, match=r'hands_v143_14817.json: root\[0\]: joint_self: expected 21 lists'):
        panoptic.main(str(cmu))
    file.write_text(json.dumps(dict(root=[5])))
    with pytest.raises(ValueError, match=r"root\[0\]: expected an object with the string 'img_paths', got 5"):
        panoptic.main(str(cmu))
    file.unlink()
    with pytest.raises(FileNotFoundError, match='hands_v143_14817.json: no such file'):
        panoptic.main(str(cmu))


def test_panoptic_missing_part_and_wrong_set(tmp_path):
    with pytest.raises(FileNotFoundError, match='hand_labels_synth/synth2: expected a folder with'):
        panoptic.main(str(tmp_path), set_name='synthetic')
    with pytest.raises(ValueError, match="set_name: expected 'mmpose' or 'synthetic', got 'all'"):
        panoptic.main(str(tmp_path), set_name='all')
