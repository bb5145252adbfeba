import os
import pickle
import re
from collections import OrderedDict, deque
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from handkp_plugins.engine.checkpoint.plain_data import STOCK_GLOBALS, history_buffers, to_plain
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import load_weights
from handkp_plugins.engine.random_state import get_random_state, set_random_state
from handkp_plugins.engine.work_dir import check_writable, find_checkpoints
from handkp_plugins.errors import BrokenCheckpointError, CheckpointError


class Attack:
    """Runs a command when it is unpickled by an unguarded reader."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.file}',)


class Kind(Enum):
    ONE = 1


def test_plain_data_needs_no_allowed_globals(tmp_path: Path):
    buffer = HistoryBuffer([1.0, 2.0], [1, 3])
    weird = dict(
        array=np.arange(4, dtype=np.uint8).reshape(2, 2),
        scalar=np.float32(0.5),
        text=np.str_('a'),
        flag=np.bool_(True),
        history=buffer,
        queue=deque([1, 2]),
        kind=Kind.ONE,
        path=Path('x/y'),
        members=frozenset({3}),
        pair=(1, [None]),
        order=OrderedDict(b=1),
        huge=1 << 80,
        weights=torch.ones(2, dtype=torch.bfloat16),
    )
    torch.save(to_plain(weird), tmp_path / 'plain.pth')
    stored = torch.load(tmp_path / 'plain.pth', weights_only=True)
    assert stored['array'] == [[0, 1], [2, 3]]
    assert (stored['scalar'], stored['text'], stored['flag'], stored['queue']) == (0.5, 'a', True, [1, 2])
    assert (stored['kind'], stored['path'], stored['members'], stored['pair']) == (1, 'x/y', {3}, (1, [None]))
    assert stored['huge'] == 1 << 80
    assert stored['weights'].dtype == torch.bfloat16
    restored = history_buffers(dict(loss=stored['history'], other=3))
    assert restored['other'] == 3
    assert restored['loss'].mean() == buffer.mean() == 0.75
    restored['loss'].update(5.0)
    assert restored['loss'].current() == 5.0


def test_plain_data_names_what_it_cannot_hold():
    with pytest.raises(TypeError, match=r'hub\.a\[1\]: .* got .*object'):
        to_plain(dict(a=[1, object()]), 'hub')


def test_random_state_goes_on_where_it_was(tmp_path: Path):
    torch.save(to_plain(get_random_state()), tmp_path / 'state.pth')
    import random

    def draw() -> tuple:
        return random.gauss(0, 1), random.random(), np.random.normal(), np.random.rand(), torch.rand(1).item()

    expected = [draw() for _ in range(3)]
    set_random_state(torch.load(tmp_path / 'state.pth', weights_only=True))
    assert [draw() for _ in range(3)] == expected


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
        with pytest.raises(BrokenCheckpointError, match=rf'{path}: refused, .*system'):
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
    with pytest.raises(BrokenCheckpointError, match="NumPy type 'O8' is not allowed"):
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


def network(width: int = 3) -> nn.Sequential:
    return nn.Sequential(OrderedDict(stem=nn.Conv2d(1, width, 1), norm=nn.BatchNorm2d(width), head=nn.Linear(2, 2)))


def test_weights_fit():
    source, target = network(), network()
    weights = {f'module.{k}': v for k, v in source.state_dict().items() if 'num_batches' not in k}
    weights['head.loss_module.scale'] = torch.ones(1)
    load_weights(target, dict(state_dict=weights), 'x.pth')
    for a, b in zip(source.parameters(), target.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize('partial', [False, True])
def test_weights_of_another_network(partial: bool):
    other = network(4).state_dict()
    other['stage2.weight'] = other.pop('head.weight')
    problems = (
        r'x.pth: .*1 of 8 weights fit.*1 missing: head.weight; 1 unexpected: stage2.weight; '
        r'6 of another size: stem.weight, stem.bias, norm.weight, \.\.\.'
    )
    if partial:
        load_weights(network(), dict(state_dict=other), 'x.pth', partial=True)
    else:
        with pytest.raises(CheckpointError, match=problems):
            load_weights(network(), dict(state_dict=other), 'x.pth')
    nothing = {f'backbone.{k}': v for k, v in network().state_dict().items()}
    with pytest.raises(CheckpointError, match=r'0 of 8 weights fit; 8 missing: .*; 8 unexpected: backbone.stem.weight'):
        load_weights(network(), dict(state_dict=nothing), 'x.pth', partial)


def test_missing_weights_alone_are_refused():
    weights = network().state_dict()
    del weights['head.bias']
    with pytest.raises(CheckpointError, match=r'7 of 8 weights fit; 1 missing: head.bias'):
        load_weights(network(), weights, 'x.pth')


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
