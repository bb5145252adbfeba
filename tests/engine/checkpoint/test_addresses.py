"""Checkpoints from a server: read as files are, and nothing in them is run."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from helpers.attack import Attack
from helpers.tiny_training import make_runner, write_tiny_training
from mmengine.runner.checkpoint import CheckpointLoader
from torch import hub

from handkp_plugins.engine.checkpoint import addresses
from handkp_plugins.engine.checkpoint.pretrained import load_from_weights_only, use_safe_loaders
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.errors import BrokenCheckpointError, CheckpointError


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server of ``tmp_path/served``; what is downloaded goes to ``tmp_path/hub``."""
    for name in ('http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub, '_hub_dir', str(tmp_path / 'hub'))
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    served = tmp_path / 'served'
    for folder, value in (('a', 1.0), ('b', 2.0)):
        (served / folder).mkdir(parents=True)
        torch.save(dict(state_dict={'backbone.x': torch.tensor(value)}), served / folder / 'epoch_1.pth')
    torch.save(dict(state_dict={}, meta=Attack(tmp_path / 'ran')), served / 'evil-0123abcd.pth')
    with http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), functools.partial(Handler, directory=str(served))
    ) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{listening.server_port}'
        listening.shutdown()


@pytest.fixture
def tables(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in addresses._TABLES:
        names = dict(net=f'{server}/a/epoch_1.pth', evil=f'{server}/evil-0123abcd.pth')
        monkeypatch.setitem(addresses._TABLES, scheme, lambda names=names: names)


def test_a_download_is_read_and_kept(server: str, tmp_path: Path):
    for folder, value in (('a', 1.0), ('b', 2.0)):  # of the same name, and yet not the same
        assert read_checkpoint(f'{server}/{folder}/epoch_1.pth')['state_dict']['backbone.x'] == value
    (tmp_path / 'served' / 'a' / 'epoch_1.pth').unlink()
    assert read_checkpoint(f'{server}/a/epoch_1.pth')['state_dict']['backbone.x'] == 1.0
    assert len(list((tmp_path / 'hub' / 'checkpoints').iterdir())) == 2


@pytest.mark.parametrize('scheme', ['http', 'torchvision', 'modelzoo', 'open-mmlab', 'openmmlab', 'mmcls'])
def test_nothing_downloaded_is_run(server: str, tables: None, tmp_path: Path, scheme: str):
    address = f'{server}/evil-0123abcd.pth' if scheme == 'http' else f'{scheme}://evil'
    use_safe_loaders()
    for read in (read_checkpoint, load_from_weights_only, CheckpointLoader.load_checkpoint):
        with pytest.raises(CheckpointError, match=r'downloaded as .*hub/checkpoints/evil-0123abcd.pth\): refused'):
            read(address)
    assert not (tmp_path / 'ran').exists()


def test_other_backends_give_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    torch.save(dict(meta=Attack(tmp_path / 'ran')), tmp_path / 'evil.pth')
    monkeypatch.setattr(addresses.fileio, 'get', lambda uri: (tmp_path / uri.rpartition('/')[2]).read_bytes())
    with pytest.raises(BrokenCheckpointError, match='s3://bucket/evil.pth: refused'):
        read_checkpoint('s3://bucket/evil.pth')
    assert not (tmp_path / 'ran').exists()
    (tmp_path / 'cut.pth').write_bytes(b'hi!')
    with pytest.raises(BrokenCheckpointError, match=r's3://bucket/cut.pth: .*\(3 bytes\)'):
        read_checkpoint('s3://bucket/cut.pth')
    torch.save(dict(a=1), tmp_path / 'whole.pth')
    assert read_checkpoint('s3://bucket/whole.pth') == dict(a=1)


def test_names_in_tables(server: str, tables: None):
    assert read_checkpoint('torchvision://net')['state_dict']['backbone.x'] == 1.0
    assert load_from_weights_only('mmcls://net')['state_dict'] == {'x': 1.0}
    with pytest.raises(
        ValueError, match=r"torchvision://nett: expected a name that torchvision:// knows, as net, evil, got 'nett'"
    ):
        read_checkpoint('torchvision://nett')


def test_real_tables_lead_to_addresses():
    assert addresses.resolve('torchvision://resnet50').startswith('https://download.pytorch.org/models/resnet50-')
    assert addresses.resolve('mmcls://resnet50_v1d').startswith('https://download.openmmlab.com/')
    assert addresses.resolve('https://x/y.pth') == 'https://x/y.pth'


@pytest.mark.parametrize(
    ('address', 'reason'),
    [('{}/none.pth', 'HTTPError: HTTP Error 404'), ('pavi://x', ''), ('http://127.0.0.1:1/x', '')],
)
def test_what_cannot_be_fetched(server: str, address: str, reason: str):
    address = address.format(server)
    with pytest.raises(ConnectionError, match=rf'{address}: cannot be fetched \(.*{reason}'):
        read_checkpoint(address)


def test_a_training_starts_from_safe_weights_only(server: str, tmp_path: Path):
    config = write_tiny_training(tmp_path)
    initial = dict(model__backbone__init_cfg__type='Pretrained')
    for place, reason in (('evil-0123abcd.pth', 'refused'), ('none.pth', r'cannot be fetched \(HTTPError')):
        checkpoint = f'{server}/{place}'
        runner = make_runner(config, tmp_path / 'work', model__backbone__init_cfg__checkpoint=checkpoint, **initial)
        with pytest.raises(CheckpointError, match=rf'{reason}.*model.backbone.init_cfg.checkpoint=PATH.*init_cfg=None'):
            runner.train()
    assert not (tmp_path / 'ran').exists()
    source = make_runner(config, tmp_path / 'work').model.backbone.state_dict()
    source['conv1.weight'] = torch.full_like(source['conv1.weight'], 0.125)
    torch.save(source, tmp_path / 'served' / 'good.pth')
    runner = make_runner(
        config, tmp_path / 'work', model__backbone__init_cfg__checkpoint=f'{server}/good.pth', **initial
    )
    runner._init_model_weights()
    assert (runner.model.backbone.conv1.weight == 0.125).all()
