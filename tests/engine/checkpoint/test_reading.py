import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.attack import Attack
from mmengine.logging import HistoryBuffer

from handkp_plugins.engine.checkpoint.plain_data import STOCK_GLOBALS
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.errors import BrokenCheckpointError


@pytest.mark.parametrize('core', ['core', '_core'])
def test_stock_history_and_arrays_are_read(tmp_path: Path, core: str):
    stock = dict(
        loss=HistoryBuffer([3.0, 1.0], [1, 1]), sigmas=np.array([[0.5, 1], [2, 3]], order='F'), best=np.float64(0.25)
    )
    stock['nothing'] = np.zeros(0)
    torch.save(stock, tmp_path / 'new.pth')
    rename_numpy_core(tmp_path / 'new.pth', tmp_path / 'stock.pth', core)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'stock.pth', weights_only=True)
    read = read_checkpoint(str(tmp_path / 'stock.pth'))
    assert read['loss'].max() == 3.0
    np.testing.assert_array_equal(read['sigmas'], stock['sigmas'])
    assert read['best'] == 0.25
    assert read['nothing'].shape == (0,)
    assert not set(STOCK_GLOBALS) & set(torch.serialization.get_safe_globals())


def rename_numpy_core(source: Path, target: Path, core: str) -> None:
    """Rewrite NumPy's module names as another major version of it spells them."""
    import zipfile

    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, 'w') as new:
        for item in old.infolist():
            data = old.read(item)
            if item.filename.endswith('data.pkl'):
                data = re.sub(rb'cnumpy\._?core\.multiarray\n', f'cnumpy.{core}.multiarray\n'.encode(), data)
            new.writestr(item.filename.replace('new/', 'stock/', 1), data)


def test_code_in_a_pickle_does_not_run(tmp_path: Path):
    for number, payload in enumerate((Attack(tmp_path / 'ran'), dict(state_dict={}, meta=Attack(tmp_path / 'ran')))):
        path = tmp_path / f'{number}.pth'
        torch.save(payload, path)
        with pytest.raises(BrokenCheckpointError, match=rf'{path}: refused: .*system'):
            read_checkpoint(str(path))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('reach', [(HistoryBuffer, '__init__'), (np.dtype, 'type'), (getattr, '__self__')])
def test_getattr_reaches_nothing_but_the_statistics(tmp_path: Path, reach: tuple):
    class Reach:
        def __reduce__(self) -> tuple:
            return getattr, reach

    torch.save(dict(a=Reach()), tmp_path / 'reach.pth')
    with pytest.raises(BrokenCheckpointError, match='getattr'):
        read_checkpoint(str(tmp_path / 'reach.pth'))


def test_arrays_of_objects_are_refused(tmp_path: Path):
    torch.save(dict(a=np.array([{}, None], dtype=object)), tmp_path / 'objects.pth')
    with pytest.raises(BrokenCheckpointError, match='expected arrays of numbers, booleans or strings, got numpy.O8'):
        read_checkpoint(str(tmp_path / 'objects.pth'))


def test_broken_files_are_named(tmp_path: Path):
    torch.save(dict(state_dict=dict(a=torch.randn(1000))), tmp_path / 'whole.pth')
    whole = (tmp_path / 'whole.pth').read_bytes()
    contents = dict(
        empty=b'', half=whole[: len(whole) // 2], almost=whole[:-1], text=b'hello', page=b'<html></html>' * 99
    )
    for name, content in contents.items():
        path = tmp_path / f'{name}.pth'
        path.write_bytes(content)
        with pytest.raises(BrokenCheckpointError, match=str(path)):
            read_checkpoint(str(path))
    (tmp_path / 'three.pth').write_bytes(b'hi!')
    with pytest.raises(BrokenCheckpointError, match=r'another kind of file \(3 bytes\)$'):
        read_checkpoint(str(tmp_path / 'three.pth'))
    with pytest.raises(FileNotFoundError, match=f'no checkpoint at {tmp_path}/missing.pth'):
        read_checkpoint(str(tmp_path / 'missing.pth'))
    torch.save([1], tmp_path / 'list.pth')
    with pytest.raises(BrokenCheckpointError, match='expected a checkpoint, which is a dictionary, got list'):
        read_checkpoint(str(tmp_path / 'list.pth'))
