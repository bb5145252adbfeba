"""The state of all random generators of a training, as plain data."""

import random
from typing import Any

import numpy as np
import torch


def get_random_state() -> dict[str, Any]:
    """Return the states of the generators of Python, NumPy, PyTorch and the current GPU."""
    version, numbers, gauss = random.getstate()
    state = dict(python=[version, list(numbers), gauss], numpy=np.random.get_state(legacy=False))
    state.update(torch=torch.get_rng_state(), cuda=torch.cuda.get_rng_state() if torch.cuda.is_available() else None)
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Set the states that :func:`get_random_state` returned, also after they were stored."""
    version, numbers, gauss = state['python']
    random.setstate((version, tuple(numbers), gauss))
    stored = state['numpy']
    key = np.asarray(stored['state']['key'], dtype=np.uint32)
    np.random.set_state({**stored, 'state': {**stored['state'], 'key': key}})
    torch.set_rng_state(state['torch'])
    if state['cuda'] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'])
