import os
from pathlib import Path

import pytest

from handkp_plugins.engine.work_dir import check_writable, find_checkpoints


def test_checkpoints_are_found_newest_first(tmp_path: Path):
    for age, name in enumerate(['epoch_2', 'epoch_10', 'best_PCK_epoch_9', 'epoch_3', 'other']):
        (tmp_path / f'{name}.pth').touch()
        os.utime(tmp_path / f'{name}.pth', (1000 - age, 1000 - age))

    def found() -> list[str]:
        return [Path(path).stem for path in find_checkpoints(str(tmp_path))]

    # Times are those of a copy: the numbers decide.
    assert found() == ['epoch_10', 'epoch_3', 'epoch_2']
    (tmp_path / 'last_checkpoint').write_text('/moved/since/epoch_3.pth')
    assert found() == ['epoch_3', 'epoch_10', 'epoch_2']
    (tmp_path / 'last_checkpoint').write_text('')
    assert found() == ['epoch_10', 'epoch_3', 'epoch_2']
    (tmp_path / 'iter_50.pth').touch()
    os.utime(tmp_path / 'iter_50.pth', (999, 999))
    assert found() == ['epoch_10', 'epoch_3', 'epoch_2', 'iter_50']
    os.utime(tmp_path / 'iter_50.pth', (1001, 1001))
    assert found() == ['iter_50', 'epoch_10', 'epoch_3', 'epoch_2']
    assert find_checkpoints(str(tmp_path / 'none')) == []
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'elsewhere' / 'last_checkpoint').write_text(str(tmp_path / 'epoch_10.pth'))
    assert Path(find_checkpoints(str(tmp_path / 'elsewhere'))[0]) == tmp_path / 'epoch_10.pth'


def test_unwritable_folders_are_named(tmp_path: Path):
    (tmp_path / 'file').touch()
    for folder, reason in ((tmp_path / 'file' / 'work', 'Not a directory'), (Path('/proc/work'), 'No such file')):
        with pytest.raises(OSError, match=rf'cannot write to the work dir: {reason}.*{folder}'):
            check_writable(str(folder))
    check_writable(str(tmp_path / 'a' / 'b'))
    assert list((tmp_path / 'a' / 'b').iterdir()) == []
