"""The documentation's site builds, without a warning, and needs nothing from elsewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT


@pytest.fixture(scope='module')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp('site')
    command = ['nice', sys.executable, '-m', 'mkdocs', 'build', '--strict', '--quiet', '--site-dir', str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_pages_from_the_repository(site: Path):
    assert 'Two commands' in (site / 'index.html').read_text()
    for system in ROOT.glob('configs/*/README.md'):
        assert 'Results measured here' in (site / 'systems' / f'{system.parent.name}.html').read_text()
    page = (site / 'systems' / 'pmsdsnet.html').read_text()
    assert 'href="../files/configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py"' in page
    copy = site / 'files' / 'configs' / 'pmsdsnet' / 'pmsdsnet_3stage_onehand10k.py'
    assert copy.read_text() == (ROOT / 'configs' / 'pmsdsnet' / copy.name).read_text()


@pytest.mark.slow
def test_reference_of_the_code(site: Path):
    for room in (ROOT / 'handkp_plugins').glob('[a-z]*/__init__.py'):
        assert (site / 'api' / f'{room.parent.name}.html').is_file()
    page = (site / 'api' / 'apis.html').read_text()
    assert 'id="handkp_plugins.apis.inference.init_shipped_model"' in page
    assert ':func:' not in page and '::' not in re.sub(r'<[^>]*>', '', page)


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site: Path):
    pages = list(site.rglob('*.html'))
    assert len(pages) > 30
    for page in pages:
        tags = re.findall(r'<(?:script|link|img|iframe)\b[^>]*>', page.read_text())
        assert not [tag for tag in tags if re.search(r'(?:src|href)="(?:https?:)?//', tag)], page
