import random
from pathlib import Path

import numpy as np
import torch

from handkp_plugins.engine.checkpoint.plain_data import to_plain
from handkp_plugins.engine.random_state import get_random_state, set_random_state


def test_random_state_goes_on_where_it_was(tmp_path: Path):
    torch.save(to_plain(get_random_state()), tmp_path / 'state.pth')

    def draw() -> tuple:
        return random.gauss(0, 1), random.random(), np.random.normal(), np.random.rand(), torch.rand(1).item()

    expected = [draw() for _ in range(3)]
    set_random_state(torch.load(tmp_path / 'state.pth', weights_only=True))
    assert [draw() for _ in range(3)] == expected
