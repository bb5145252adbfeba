"""Members of zip files by their addresses: in any order, after a fork, and when files are broken."""

import os
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from handkp_plugins.fileio.images import alpha_composite, read_image, read_layers
from handkp_plugins.fileio.shards import ShardReader, is_shard_address, split_address


def write(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, 'w', how) as shard:
        for name, data in members.items():
            shard.writestr(name, data)
    return path


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    return write(tmp_path / '00000.zip', {f'{i:06d}.jpg': b'data %d' % i * (i + 1) for i in (2, 0, 1)})


def test_addresses():
    assert split_address('/a/b.zip/c.jpg') == ('/a/b.zip', 'c.jpg')
    assert is_shard_address('shards/0.zip/1.jpg') and not is_shard_address('images/zip/1.jpg')


def test_a_folder_may_be_named_like_a_shard(tmp_path):
    (tmp_path / 'photos.zip').mkdir()
    assert not is_shard_address(f'{tmp_path}/photos.zip/1.jpg')


def test_members_in_any_order(shard):
    reader = ShardReader()
    assert [reader.read(str(shard), f'{i:06d}.jpg') for i in (1, 2, 0)] == [b'data 1' * 2, b'data 2' * 3, b'data 0']
    assert reader.read(str(shard), '000000.png', optional=True) is None
    with pytest.raises(ValueError, match="no member '000003.jpg'"):
        reader.read(str(shard), '000003.jpg')


def test_an_extra_field_before_the_data_is_passed_over(tmp_path):
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as content:
        about = zipfile.ZipInfo('a.jpg')
        about.extra = b'\x99\x99' + (300).to_bytes(2, 'little') + bytes(300)
        content.writestr(about, b'after the field')
    assert ShardReader().read(str(tmp_path / 'a.zip'), 'a.jpg') == b'after the field'


def test_open_files_are_bounded_and_closed(tmp_path):
    before = set(os.listdir('/proc/self/fd'))
    reader = ShardReader(max_open=3)
    for _ in range(2):
        for i in range(8):
            path = tmp_path / f'{i}.zip'
            if not path.exists():
                write(path, {'a.jpg': b'%d' % i})
            assert reader.read(str(path), 'a.jpg') == b'%d' % i
    assert len(set(os.listdir('/proc/self/fd')) - before) == 3
    reader.close()
    assert set(os.listdir('/proc/self/fd')) <= before
    assert reader.read(str(tmp_path / '0.zip'), 'a.jpg') == b'0'
    reader.close()


def test_a_shard_made_anew_is_indexed_anew(tmp_path):
    reader = ShardReader(max_open=1)
    path, other = tmp_path / 'a.zip', write(tmp_path / 'b.zip', {'a.jpg': b'other'})
    for members in ({'a.jpg': b'old'}, {'0.jpg': b'first', 'a.jpg': b'new'}):
        write(path, members)
        assert reader.read(str(path), 'a.jpg') == members['a.jpg']
        reader.read(str(other), 'a.jpg')


def test_forks_share_open_files_without_disturbing_each_other(shard):
    """A forked process shares the position within an open file: reading must neither use nor move it."""
    reader = ShardReader()
    reader.read(str(shard), '000000.jpg')
    (file,) = reader._files.values()
    os.lseek(file, 7, os.SEEK_SET)
    child = os.fork()
    if child == 0:
        os._exit(0 if reader.read(str(shard), '000002.jpg') == b'data 2' * 3 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert reader.read(str(shard), '000001.jpg') == b'data 1' * 2
    assert os.lseek(file, 0, os.SEEK_CUR) == 7


def test_broken_shards(shard, tmp_path):
    whole = shard.read_bytes()
    cut = tmp_path / 'cut.zip'
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match='expected a complete zip file'):
        ShardReader().read(str(cut), '000000.jpg')
    damaged = tmp_path / 'damaged.zip'
    damaged.write_bytes(whole.replace(b'data 1data 1', b'data 1DATA 1'))
    assert ShardReader().read(str(damaged), '000002.jpg') == b'data 2' * 3
    with pytest.raises(ValueError, match="'000001.jpg' of the shard is damaged"):
        ShardReader().read(str(damaged), '000001.jpg')
    packed = write(tmp_path / 'packed.zip', {'a.jpg': b'a' * 99}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="'a.jpg' compressed"):
        ShardReader().read(str(packed), 'a.jpg')
    with pytest.raises(FileNotFoundError):
        ShardReader().read(str(tmp_path / 'none.zip'), 'a.jpg')


def picture(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def test_layers_are_read_as_four_channels_and_shown_over_grey(tmp_path):
    color = np.full((16, 24, 3), (200, 100, 50), np.uint8)
    alpha = np.zeros((16, 24), np.uint8)
    alpha[:, :8], alpha[:, 8:16] = 255, 128
    members = {'a.jpg': picture('.jpg', color), 'a.png': picture('.png', alpha), 'b.jpg': picture('.jpg', color)}
    path = write(tmp_path / '0.zip', members | {'c.jpg': picture('.jpg', color[:8]), 'c.png': members['a.png']})
    layers = read_layers(f'{path}/a.jpg')
    assert layers.shape == (16, 24, 4) and np.array_equal(layers[..., 3], alpha)
    assert np.abs(layers[..., :3].astype(int) - color).max() <= 2
    shown = read_image(f'{path}/a.jpg').astype(int)
    for column, expected in ((3, (200, 100, 50)), (12, (164, 114, 89)), (20, (128, 128, 128))):
        assert np.abs(shown[8, column] - expected).max() <= 3
    assert read_layers(f'{path}/b.jpg').shape == (16, 24, 3)
    with pytest.raises(ValueError, match=r'0.zip/c.jpg: expected alpha of the .*, got \(16, 24\) beside \(8, 24, 3\)'):
        read_image(f'{path}/c.jpg')


def test_alpha_composite_worked_out_by_hand():
    layers = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    assert alpha_composite(layers, np.float32([0, 0, 250])).tolist() == [[[200, 100, 0], [0, 0, 250], [40, 20, 200]]]
