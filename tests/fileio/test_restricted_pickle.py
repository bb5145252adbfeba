"""Pickles of arrays and plain data, and what they may not name."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from handkp_plugins.fileio.restricted_pickle import read_plain_pickle


@pytest.mark.parametrize('protocol', range(6))
def test_plain_pickles_of_any_protocol(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / 'a.pickle'
    content = {3: dict(a=np.arange(6.0).reshape(2, 3), b=np.float32(2), c=['x', 1, (2.5, None)], d=b'\xff')}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    found = read_plain_pickle(path)
    np.testing.assert_array_equal(found[3].pop('a'), content[3].pop('a'))
    assert found == content


def test_python_2_arrays(tmp_path: Path) -> None:
    """As Python 2 writes them: numpy.core, and the bytes of an array as a string."""
    data = np.array([1.5, -2.0])
    state = b'(I1\n(I2\ntcnumpy\ndtype\n(Vf8\nI00\nI1\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntbI00\n'
    raw = b'T' + len(data.tobytes()).to_bytes(4, 'little') + data.tobytes()
    program = b'cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntR' + state + raw + b'tb.'
    (tmp_path / 'a.pickle').write_bytes(program)
    np.testing.assert_array_equal(read_plain_pickle(tmp_path / 'a.pickle'), data)


@pytest.mark.parametrize('protocol', [2, 5])
def test_arrays_of_every_kind(tmp_path: Path, protocol: int) -> None:
    arrays = [np.arange(6.0).reshape(2, 3).T, np.array([True, False]), np.array(['ä', 'b']), np.ones((1, 3), '>i2')]
    (tmp_path / 'a.pickle').write_bytes(pickle.dumps([*arrays, np.int64(7)], protocol=protocol))
    *found, number = read_plain_pickle(tmp_path / 'a.pickle')
    assert number == 7 and [a.dtype for a in found] == [a.dtype for a in arrays]
    for one, other in zip(found, arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_codec_but_that_of_bytes(tmp_path: Path) -> None:
    path = tmp_path / 'a.pickle'
    path.write_bytes(b'c_codecs\nencode\n(Va\nVrot13\ntR.')
    with pytest.raises(ValueError, match="in the encoding latin1, got 'rot13'"):
        read_plain_pickle(path)
