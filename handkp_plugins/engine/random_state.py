"""The state of every random generator that a training draws from, as plain data."""

import random
from typing import Any

import numpy as np
import torch


def get_random_state() -> dict[str, Any]:
    """States of Python's, NumPy's and PyTorch's generators, and of the current GPU's where there is one."""
    version, numbers, gauss = random.getstate()
    state = dict(python=[version, list(numbers), gauss], numpy=np.random.get_state(legacy=False))
    state.update(torch=torch.get_rng_state(), cuda=torch.cuda.get_rng_state() if torch.cuda.is_available() else None)
    return state


def set_random_state(state: dict[str, Any]) -> None:
    """Continue where :func:`get_random_state` was called, also from its stored plain form."""
    version, numbers, gauss = state['python']
    random.setstate((version, tuple(numbers), gauss))
    stored = state['numpy']
    key = np.asarray(stored['state']['key'], dtype=np.uint32)
    np.random.set_state({**stored, 'state': {**stored['state'], 'key': key}})
    torch.set_rng_state(state['torch'])
    if state['cuda'] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state['cuda'])
