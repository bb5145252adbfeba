"""The doctor names each fault and how to repair it, also if torch or MMPose is missing or broken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT

from handkp_plugins import doctor

GOOD = {
    'torch': '2.11.0+cu130', 'torchvision': '0.26.0+cu130', 'numpy': '2.4.6', 'opencv-python': '5.0.0', 'vtk': '9.7.2',
    'xtcocotools': '1.14.3', 'mmengine': '0.10.7', 'mmcv': '2.1.0', 'mmdet': '3.3.0', 'mmpose': '1.3.2',
    'setuptools': '80.9.0', 'gradio': '6.31.0',
}  # fmt: skip


def examine(versions=None, errors=None, python=(3, 11)):
    have, fail = {**GOOD, **(versions or {})}, errors or {}
    return doctor.diagnose(have.get, lambda name: (name not in fail, fail.get(name, 'fine')), python)


def fault(findings, name):
    (found,) = [f for f in findings if f.name == name and f.state != 'ok']
    return found


def test_sound_environment_has_no_fault():
    findings = examine()
    assert {f.state for f in findings} == {'ok'}
    assert [f.name for f in findings] == list(doctor.CHECKS)


@pytest.mark.parametrize(
    'versions, errors, name, says, repair',
    [
        ({'torchvision': '0.29.2'}, {}, 'torchvision', 'needs torchvision 0.26.x, got 0.29.2', 'torchvision==0.26.0'),
        ({'torch': '2.9.1'}, {}, 'torch', '2.13.x, got 2.9.1', 'torch==2.11.0'),
        ({'torch': '2.14.0'}, {}, 'torch', 'expected 2.10.x, ', 'torch==2.11.0'),
        ({'torch': None}, {'torch': "No module named 'torch'"}, 'torch', 'not installed', 'torch==2.11.0'),
        ({'mmcv': '2.2.0'}, {}, 'mmcv', 'expected 2.1.x, got 2.2.0', 'mmcv==2.1.0'),
        ({'mmcv': None, 'mmcv-lite': '2.1.0'}, {}, 'mmcv', 'mmcv-lite has no compiled ops', 'mmcv==2.1.0'),
        ({}, {'mmcv': "ModuleNotFoundError: No module named 'mmcv._ext'"}, 'mmcv', 'without ops', 'MMCV_WITH_OPS=1'),
        ({}, {'xtcocotools': 'numpy.dtype size changed'}, 'xtcocotools', 'another NumPy', '--no-binary xtcocotools'),
        ({'setuptools': '82.0.0'}, {}, 'setuptools', 'pkg_resources', 'setuptools<81'),
        ({'mmpose': None}, {'mmpose': 'No module named mmpose'}, 'mmpose', 'not installed', '--no-deps mmpose==1.3.2'),
        ({}, {'torchvision': 'operator torchvision::nms missing'}, 'torchvision', 'does not fit', 'torchvision=='),
        ({}, {'gpu ops': 'nms_impl: CUDA missing'}, 'gpu ops', 'no CUDA ops', 'HANDKP_CUDA_OPS=1'),
        ({}, {'vtk rendering': 'bad X'}, 'vtk rendering', 'bad X', 'libegl1'),
        ({'gradio': None}, {'gradio': 'No module'}, 'gradio', 'not installed', 'setup_env.sh'),
    ],
)  # fmt: skip
def test_each_fault_has_its_repair(versions, errors, name, says, repair):
    found = fault(examine(versions, errors), name)
    assert says in found.detail
    assert repair in found.fix


def test_python_too_new():
    assert 'expected 3.10 to 3.12, got 3.13' in fault(examine(python=(3, 13)), 'python').detail


def test_what_needs_a_broken_package_is_not_blamed():
    findings = examine({'torch': None}, {'torch': "No module named 'torch'"})
    assert 'before torch' in fault(findings, 'mmcv').detail
    assert fault(findings, 'mmpose').fix == ''


def test_gpu_ops_rendering_and_the_web_page_only_warn():
    names = ('gpu ops', 'vtk rendering', 'gradio')
    findings = examine(errors=dict.fromkeys(names, 'x'))
    assert {f.name: f.state for f in findings if f.state != 'ok'} == dict.fromkeys(names, 'warn')


def run(*arguments: str, path: str | Path) -> subprocess.CompletedProcess:
    environment = {'PYTHONPATH': str(path), 'PATH': '/usr/bin:/bin'}
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=environment, cwd='/')


@pytest.mark.parametrize('fault', ["raise ImportError('broken torch')", 'import os; os.abort()'])
def test_answers_if_torch_cannot_be_imported(tmp_path: Path, fault: str):
    (tmp_path / 'torch.py').write_text(fault)
    done = run('-m', 'handkp_plugins.doctor', '--json', path=f'{tmp_path}:{ROOT}')
    findings = {f['name']: f for f in json.loads(done.stdout)}
    assert done.returncode == 1 and done.stderr == ''
    assert findings['torch']['state'] == 'fail'
    assert ('broken torch' if 'broken' in fault else 'ended by signal 6') in findings['torch']['detail']
    assert findings['vtk rendering']['state'] == 'ok'


TIMED = """
import sys, time
sys.path.insert(0, sys.argv[1])
start = time.process_time()
import handkp_plugins, handkp_plugins.doctor, handkp_plugins.cli.tool
assert time.process_time() - start < 0.3, time.process_time() - start
assert 'torch' not in sys.modules
"""


def test_import_without_mmpose_is_quick_and_needs_nothing():
    """Without site-packages there is neither MMPose nor torch nor NumPy."""
    done = subprocess.run(
        [sys.executable, '-I', '-S', '-W', 'error', '-c', TIMED, str(ROOT)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_import_with_a_broken_mmpose_warns_and_names_the_doctor(tmp_path: Path):
    (tmp_path / 'mmpose.py').write_text("raise AssertionError('MMCV is incompatible')")
    done = run('-c', 'import handkp_plugins.cli.tool', path=f'{tmp_path}:{ROOT}')
    assert done.returncode == 0
    assert '(MMCV is incompatible): run `python -m handkp_plugins.doctor`' in done.stderr


def test_an_error_of_this_package_is_raised(tmp_path: Path):
    for name in ('mmpose', 'mmpose/apis', 'mmpose/models', 'handkp_plugins', 'handkp_plugins/codecs'):
        (tmp_path / name).mkdir()
        (tmp_path / name / '__init__.py').touch()
    for name in ('__init__.py', 'version.py'):
        (tmp_path / 'handkp_plugins' / name).write_text((ROOT / 'handkp_plugins' / name).read_text())
    (tmp_path / 'handkp_plugins' / 'codecs' / '__init__.py').write_text("raise AttributeError('of ours')")
    done = run('-c', 'import handkp_plugins', path=tmp_path)
    assert done.stderr.strip().endswith('AttributeError: of ours')
