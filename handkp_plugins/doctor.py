"""Check the installation: say what is missing or does not fit together, and the command that repairs it.

Example::

    python -m handkp_plugins.doctor

Exit status 0 if handkp_plugins can be used, else 1. This needs nothing but the standard library, and imports each
package in a process of its own, so that it also works if a package is broken.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata

PIP = f'{sys.executable} -m pip'
REBUILD = '--no-build-isolation --no-deps --no-cache-dir --force-reinstall'
SETUP = 'bash tools/setup_env.sh'
TORCH = f'{PIP} install torch==2.11.0 torchvision==0.26.0'
# torch → torchvision; below 2.10 loading checkpoints is unsafe, above 2.13 mmcv does not compile.
TORCHVISION_OF = {'2.10': '0.25', '2.11': '0.26', '2.12': '0.27', '2.13': '0.28'}
VERSIONS = {'torch': [*TORCHVISION_OF], 'mmengine': ['0.10'], 'mmcv': ['2.1'], 'mmdet': ['3.3'], 'mmpose': ['1.3']}


@dataclass(frozen=True)
class Check:
    """One thing to check."""

    probe: str  # Python code that fails if the thing does not work; it may print a line of detail
    repair: str  # a command
    needs: str = ''  # names of checks that must succeed before
    package: str | None = None  # the distribution; '' if there is none, None if it has the name of the check
    fault: tuple[str, str] = ('(?!)', '')  # a pattern of the error, and what it means
    optional: bool = False  # the project works in part without it


CHECKS = {
    'setuptools': Check(
        'import warnings; warnings.simplefilter("ignore"); import pkg_resources', f"{PIP} install 'setuptools<81'"
    ),
    'numpy': Check('import numpy', f'{PIP} install --force-reinstall --no-deps numpy'),
    'opencv': Check(
        'import cv2', f'{PIP} install opencv-python; apt-get install -y libgl1 libglib2.0-0', package='opencv-python'
    ),
    'torch': Check(
        'import torch; c = torch.cuda.is_available()\n'
        'print("CUDA", torch.version.cuda, "| GPU", torch.cuda.get_device_name(0) if c else "none")',
        TORCH,
    ),
    'torchvision': Check(
        'from torchvision.ops import nms', TORCH, 'torch', fault=('', 'does not fit the installed torch')
    ),
    'xtcocotools': Check(
        'import xtcocotools.coco, xtcocotools._mask',
        f'{PIP} install cython && {PIP} install {REBUILD} --no-binary xtcocotools xtcocotools==1.14.3',
        'numpy',
        fault=('(?i)dtype size|numpy', 'built against another NumPy'),
    ),
    'mmengine': Check('import mmengine.runner', f'{PIP} install --no-deps mmengine==0.10.7', 'torch setuptools'),
    'mmcv': Check(
        'import torch; from mmcv.ops import nms\n'
        'b, s = torch.tensor([[0., 0, 9, 9], [1, 1, 9, 9], [20, 20, 30, 30]]), torch.tensor([.9, .8, .7])\n'
        'k = nms(b, s, .5)[1].tolist(); assert k == [0, 2], k; print("its NMS ran on the CPU")',
        f'MMCV_WITH_OPS=1 {PIP} install {REBUILD} --no-binary mmcv mmcv==2.1.0',
        'torch mmengine',
        fault=('_ext|mmcv.ops', 'built without ops or against another torch'),
    ),
    'gpu ops': Check(
        'import torch; c = torch.cuda.is_available()\n'
        'if c:\n from mmcv.ops import nms\n nms(torch.rand(4, 4).cuda(), torch.rand(4).cuda(), .5)\n'
        'print("the NMS of mmcv ran on the GPU" if c else "no GPU here, none needed")',
        f'HANDKP_CUDA_OPS=1 {SETUP}',
        'mmcv',
        package='',
        fault=('', 'mmcv has no CUDA ops: detection must run on the CPU, all else works'),
        optional=True,
    ),
    'mmdet': Check('import mmdet.models', f'{PIP} install --no-deps mmdet==3.3.0', 'mmcv torchvision', optional=True),
    'mmpose': Check(
        'import mmpose.models, mmpose.apis',
        f'{PIP} install --no-deps mmpose==1.3.2',
        'mmcv torchvision xtcocotools opencv',
    ),
    'vtk rendering': Check(
        'from handkp_plugins.synthetic.rendering.renderer import Renderer; Renderer(16); print("draws off screen")',
        f'{PIP} install vtk; apt-get install -y libegl1 libgl1 libosmesa6',
        'numpy opencv',
        package='vtk',
        optional=True,
    ),
    'gradio': Check('import gradio; print("for tools/web_demo.py")', SETUP, optional=True),
    'handkp_plugins': Check(
        'import handkp_plugins as h\n'
        'from handkp_plugins import codecs, datasets, engine, evaluation, models, visualization\n'
        'print(h.__version__, "registered in MMPose")',
        SETUP,
        'mmpose',
        package='',
    ),
}


@dataclass
class Finding:
    """One line of the report. ``state``: ``'ok'``, ``'warn'`` or ``'fail'``; ``fix``: a command, empty when ok."""

    name: str
    state: str
    detail: str
    fix: str = ''


def installed_version(package: str) -> str | None:
    """Version of an installed distribution, None if it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def run_probe(name: str, timeout: float = 180) -> tuple[bool, str]:
    """Run the probe of a check: whether it succeeded, and its detail or the last line of its error."""
    command = [sys.executable, '-W', 'ignore', '-c', CHECKS[name].probe]
    if name == 'vtk rendering':  # imports the package, which knows by this argument not to import torch
        command.append('handkp_plugins.doctor')
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return False, f'no answer within {timeout:.0f} s'
    text = done.stdout if done.returncode == 0 else done.stderr
    last = ([line.strip() for line in text.splitlines() if line.strip()] or [''])[-1]
    return done.returncode == 0, f'ended by signal {-done.returncode} {last}' if done.returncode < 0 else last


def diagnose(
    version_of: Callable[[str], str | None] = installed_version,
    probe: Callable[[str], tuple[bool, str]] = run_probe,
    python: tuple[int, int] = sys.version_info[:2],
) -> list[Finding]:
    """Check the environment of this version of Python; returns a finding for each check."""
    findings, failed = [], set()
    if not (3, 10) <= python <= (3, 12):
        detail = f'version: expected 3.10 to 3.12, got {python[0]}.{python[1]}'
        findings.append(Finding('python', 'fail', detail, f'HANDKP_PYTHON=python3.11 {SETUP}'))
    for name, check in CHECKS.items():
        version = version_of(check.package or name) if check.package != '' else None
        detail, repair = _wrong_version(name, version, version_of), check.repair
        if not detail and (missing := [n for n in check.needs.split() if n in failed]):
            detail, repair = f'cannot be checked before {" and ".join(missing)} works', ''
        if not detail:
            works, text = probe(name)
            if works:
                findings.append(Finding(name, 'ok', ', '.join(filter(None, (version, text)))))
                continue
            pattern, meaning = check.fault
            detail = f'{meaning} ({text})' if re.search(pattern, text) else text
            if version is None and check.package != '':
                detail = 'not installed'
        failed.add(name)
        findings.append(Finding(name, 'warn' if check.optional else 'fail', detail, repair))
    return findings


def _wrong_version(name: str, version: str | None, version_of: Callable[[str], str | None]) -> str:
    """The fault that the version of a package shows before it is imported, '' if there is none."""
    if name == 'mmcv' and not version and version_of('mmcv-lite'):
        return 'mmcv-lite has no compiled ops, which mmpose.models needs: uninstall it first'
    if not version:
        return ''
    minor = _minor(version)
    if name == 'setuptools' and int(minor.split('.')[0]) >= 81:
        return f'version: expected below 81, which has pkg_resources for mmengine, got {version}'
    if name == 'torchvision' and (torch := version_of('torch')):
        wanted = TORCHVISION_OF.get(_minor(torch), minor)
        return '' if minor == wanted else f'torch {torch} needs torchvision {wanted}.x, got {version}'
    allowed = VERSIONS.get(name, [minor])
    return '' if minor in allowed else f'version: expected {", ".join(f"{v}.x" for v in allowed)}, got {version}'


def _minor(version: str) -> str:
    return '.'.join(re.split(r'[.+]', version)[:2])


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; returns 1 if something must be repaired."""
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog='python -m handkp_plugins.doctor', description=__doc__, formatter_class=how)
    parser.add_argument('--json', action='store_true', help='print the findings as JSON')
    args = parser.parse_args(argv)
    findings = diagnose()
    failed = [f for f in findings if f.state == 'fail']
    if args.json:
        print(json.dumps([asdict(f) for f in findings], indent=1))
        return int(bool(failed))
    print(f'python         {platform.python_version()} at {sys.executable} on {platform.platform()}')
    for f in findings:
        print(f'{f.name:15}{"" if f.state == "ok" else f.state.upper() + ": "}{f.detail}')
        if f.fix:
            print(f'{"":15}repair it by: {f.fix}')
    if failed:
        print(f'{len(failed)} of {len(findings)} checks failed: {", ".join(f.name for f in failed)}')
    else:
        print('handkp_plugins is ready to use')
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(main())
