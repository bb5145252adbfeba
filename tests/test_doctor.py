"""The doctor names each fault with its remedy, and answers where nothing else can be imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from handkp_plugins import doctor

GOOD = {
    'torch': '2.11.0+cu130', 'torchvision': '0.26.0+cu130', 'numpy': '2.4.6', 'opencv-python': '5.0.0', 'vtk': '9.7.2',
    'xtcocotools': '1.14.3', 'mmengine': '0.10.7', 'mmcv': '2.1.0', 'mmdet': '3.3.0', 'mmpose': '1.3.2',
    'setuptools': '80.9.0', 'gradio': '6.31.0', 'handkp_plugins': '0.1.0',
}  # fmt: skip


def examine(versions=None, errors=None, python=(3, 11)):
    have = {**GOOD, **(versions or {})}
    fail = errors or {}
    return doctor.diagnose(have.get, lambda name: (name not in fail, fail.get(name, 'fine')), python)


def fault(findings, name):
    (found,) = [f for f in findings if f.name == name and f.state != 'ok']
    return found


def test_sound_environment_has_no_fault():
    findings = examine()
    assert {f.state for f in findings} == {'ok'}
    assert {f.name for f in findings} == set(doctor.PROBES)


@pytest.mark.parametrize(
    'versions, errors, name, says, remedy',
    [
        ({'torchvision': '0.29.2'}, {}, 'torchvision', 'needs torchvision 0.26', 'torchvision==0.26.0'),
        ({'torch': '2.9.1'}, {}, 'torch', '2.10 to 2.13', 'torch==2.11.0'),
        ({'torch': '2.14.0'}, {}, 'torch', '2.10 to 2.13', 'torch==2.11.0'),
        ({'torch': None}, {'torch': "No module named 'torch'"}, 'torch', 'not installed', 'torch==2.11.0'),
        ({'mmcv': '2.2.0'}, {}, 'mmcv', '2.1.x', 'mmcv==2.1.0'),
        ({'mmcv': None, 'mmcv-lite': '2.1.0'}, {}, 'mmcv', 'no compiled ops', 'uninstall -y mmcv-lite'),
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
def test_each_fault_has_its_remedy(versions, errors, name, says, remedy):
    found = fault(examine(versions, errors), name)
    assert says in found.detail
    assert remedy in found.fix


def test_python_too_new():
    assert '3.10 to 3.12' in fault(examine(python=(3, 13)), 'python').detail


def test_what_stands_on_a_fault_is_not_blamed():
    findings = examine({'torch': None}, {'torch': "No module named 'torch'"})
    assert 'before torch' in fault(findings, 'mmcv').detail
    assert fault(findings, 'mmpose').fix == ''


def test_gpu_ops_rendering_and_the_web_page_only_warn():
    names = ('gpu ops', 'vtk rendering', 'gradio')
    findings = examine(errors=dict.fromkeys(names, 'x'))
    assert {f.name: f.state for f in findings if f.state != 'ok'} == dict.fromkeys(names, 'warn')


def broken_environment(tmp_path: Path) -> dict:
    """Environment variables under which mmpose, mmcv and torch raise at import."""
    for name in ('torch', 'mmcv', 'mmpose', 'mmengine'):
        (tmp_path / f'{name}.py').write_text(f"raise ImportError('broken {name}')")
    root = Path(doctor.__file__).parents[1]
    return {'PYTHONPATH': f'{tmp_path}:{root}', 'PATH': '/usr/bin:/bin'}


def test_answers_where_torch_cannot_be_imported(tmp_path):
    done = subprocess.run([sys.executable, '-m', 'handkp_plugins.doctor', '--json'], capture_output=True, text=True,
                          env=broken_environment(tmp_path))  # fmt: skip
    findings = {f['name']: f for f in json.loads(done.stdout)}
    assert done.returncode == 1
    assert findings['torch']['state'] == 'fail' and 'broken torch' in findings['torch']['detail']


def test_import_in_a_wrong_environment_is_one_line_that_points_here(tmp_path):
    done = subprocess.run([sys.executable, '-c', 'import handkp_plugins'], capture_output=True, text=True,
                          env=broken_environment(tmp_path))  # fmt: skip
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert 'ImportError: handkp_plugins cannot be used' in last and 'python -m handkp_plugins.doctor' in last
    assert done.stderr.count('Traceback') == 1


@pytest.mark.parametrize(
    ('fault', 'shown'),
    [("raise AttributeError('of ours')", 'AttributeError: of ours'), ('import json.none', 'cannot be used in this')],
)
def test_faults_of_the_package_are_not_blamed_on_the_environment(tmp_path, fault, shown):
    package = tmp_path / 'handkp_plugins'
    (package / 'codecs').mkdir(parents=True)
    for name in ('__init__.py', 'version.py'):
        (package / name).write_text((Path(doctor.__file__).parent / name).read_text())
    (package / 'codecs' / '__init__.py').write_text(fault)
    done = subprocess.run([sys.executable, '-c', 'import handkp_plugins'], capture_output=True, text=True,
                          cwd=tmp_path, env={'PYTHONPATH': str(tmp_path), 'PATH': '/usr/bin:/bin'})  # fmt: skip
    assert shown in done.stderr.strip().splitlines()[-1]
    assert ('codecs/__init__.py' in done.stderr) == (shown == 'AttributeError: of ours')
