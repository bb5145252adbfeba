"""JSON files and what is said of bad ones."""

from pathlib import Path

import pytest
from mmengine.fileio import LocalBackend, register_backend

from handkp_plugins.fileio.json import read_json


class Elsewhere(LocalBackend):
    """Files at ``elsewhere://``, for a test."""

    def get(self, filepath: str) -> bytes:
        return super().get(filepath.removeprefix('elsewhere:/'))

    def exists(self, filepath: str) -> bool:
        return super().exists(filepath.removeprefix('elsewhere:/'))


register_backend('elsewhere', Elsewhere, prefixes='elsewhere')


@pytest.mark.parametrize('prefix', ['', 'elsewhere:/'])
def test_local_and_remote_files(tmp_path: Path, prefix: str) -> None:
    path = f'{prefix}{tmp_path}/a.json'
    with pytest.raises(FileNotFoundError, match='a.json: no such file; expected a list'):
        read_json(path, 'a list')
    (tmp_path / 'a.json').write_text('["händ"]', encoding='utf-8')
    assert read_json(path) == ['händ']
    for data, message in ((b' ', 'a list in JSON, got an empty file'), (b'\xff', 'text that does not parse')):
        (tmp_path / 'a.json').write_bytes(data)
        with pytest.raises(ValueError, match=f'a.json: expected .*{message}'):
            read_json(path, 'a list')
