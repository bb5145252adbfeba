from pathlib import Path

import pytest

from handkp_plugins.fileio import atomic as files
from handkp_plugins.fileio.atomic import atomic_write, write_bytes, write_text


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / 'epoch_1.pth'
    path.write_text('old')
    with pytest.raises(KeyError), atomic_write(path) as temporary:
        Path(temporary).write_text('ne')
        raise KeyError
    assert [f.name for f in tmp_path.iterdir()] == ['epoch_1.pth']
    assert path.read_text() == 'old'
    with atomic_write(path) as temporary:
        Path(temporary).write_text('new')
        assert path.read_text() == 'old'
    assert [f.read_text() for f in tmp_path.iterdir()] == ['new']


def test_full_disk_is_named(tmp_path: Path):
    message = r'cannot be written: No space left on device \(\d.* MB free\).*epoch_1.pth'
    with pytest.raises(OSError, match=message), atomic_write(tmp_path / 'epoch_1.pth') as temporary:
        Path(temporary).touch()
        with open('/dev/full', 'w') as full:
            full.write('x')
    assert list(tmp_path.iterdir()) == []


def test_contents_reach_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / 'new' / 'deep' / 'a.json'
    synced = []
    monkeypatch.setattr(files.os, 'fsync', lambda number: synced.append(path.exists()))
    write_text(path, 'händ')
    assert path.read_bytes() == 'händ'.encode()
    write_bytes(path, b'\xff')
    assert path.read_bytes() == b'\xff'
    assert synced == [False, True]
    assert [f.name for f in path.parent.iterdir()] == ['a.json']


def test_a_folder_that_cannot_be_is_named(tmp_path: Path):
    (tmp_path / 'file').touch()
    with pytest.raises(NotADirectoryError, match='cannot be written: Not a directory.*file/a/b'):
        write_bytes(tmp_path / 'file' / 'a' / 'b', b'')
