from collections import OrderedDict, deque
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from handkp_plugins.engine.checkpoint.plain_data import history_buffers, to_plain


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
