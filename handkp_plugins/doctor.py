"""Says what is installed, what is missing or does not fit together, and the command that mends it.

Example::

    python -m handkp_plugins.doctor

Exit status 0 when handkp_plugins can be used, 1 when something must be mended. It needs nothing but the standard
library, and each package is imported in a process of its own, so that it answers where they cannot be imported.
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

# torch minor → torchvision minor; below 2.10 loading checkpoints is unsafe, above 2.13 mmcv does not compile.
TORCHVISION_OF = {'2.10': '0.25', '2.11': '0.26', '2.12': '0.27', '2.13': '0.28'}
# package → (version wanted, the minors allowed)
OPENMMLAB = {
    'mmengine': ('0.10.7', '0.10'),
    'mmcv': ('2.1.0', '2.1'),
    'mmdet': ('3.3.0', '3.3'),
    'mmpose': ('1.3.2', '1.3'),
}
PIP = f'{sys.executable} -m pip'
REBUILD = '--no-build-isolation --no-deps --no-cache-dir --force-reinstall'
FIX = {
    'python': 'HANDKP_PYTHON=python3.11 bash tools/setup_env.sh',
    'torch': f'{PIP} install torch==2.11.0 torchvision==0.26.0',
    'setuptools': f"{PIP} install 'setuptools<81'",
    'xtcocotools': f'{PIP} install cython && {PIP} install {REBUILD} --no-binary xtcocotools xtcocotools==1.14.3',
    'mmcv': f'MMCV_WITH_OPS=1 {PIP} install {REBUILD} --no-binary mmcv mmcv==2.1.0',
    'gpu ops': 'HANDKP_CUDA_OPS=1 bash tools/setup_env.sh',
    'vtk rendering': 'apt-get install libegl1 libgl1 libosmesa6   # or the like of your distribution',
    'opencv': 'apt-get install libgl1 libglib2.0-0   # or the like of your distribution',
    'gradio': 'bash tools/setup_env.sh',
    'handkp_plugins': 'bash tools/setup_env.sh',
}

# Each probe is run as `python -c`, prints one line of detail and fails with a traceback.
PROBES = {
    'setuptools': 'import warnings; warnings.simplefilter("ignore"); import pkg_resources',
    'numpy': 'import numpy; print(numpy.__version__)',
    'opencv': 'import cv2; print(cv2.__version__)',
    'torch': 'import torch; print(torch.__version__, "| CUDA", torch.version.cuda, "| GPU", '
    'torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none")',
    'torchvision': 'import torchvision; from torchvision.ops import nms; print(torchvision.__version__)',
    'xtcocotools': 'import xtcocotools.coco, xtcocotools._mask',
    'mmengine': 'import mmengine.runner',
    'mmcv': 'import torch; from mmcv.ops import nms\n'
    'b = torch.tensor([[0., 0, 9, 9], [1, 1, 9, 9], [20, 20, 30, 30]])\n'
    'k = nms(b, torch.tensor([.9, .8, .7]), .5)[1].tolist(); assert k == [0, 2], k; print("its NMS ran on the CPU")',
    'gpu ops': 'import torch; c = torch.cuda.is_available()\n'
    'if c:\n from mmcv.ops import nms\n nms(torch.rand(4, 4).cuda(), torch.rand(4).cuda(), .5)\n'
    'print("its NMS ran on the GPU" if c else "no GPU here, none needed")',
    'mmdet': 'import mmdet.models',
    'mmpose': 'import mmpose.models, mmpose.apis',
    'vtk rendering': 'import handkp_plugins.doctor as d; d.render_triangle(); print("off screen")',
    'gradio': 'import gradio; print(gradio.__version__, "| for tools/web_demo.py")',
    'handkp_plugins': 'import handkp_plugins as h; print(h.__version__, "| registered in MMPose")',
}
# A probe is not run before those that it stands on have succeeded: their fault would be reported as its own.
NEEDS = {
    'torchvision': ['torch'],
    'xtcocotools': ['numpy'],
    'mmengine': ['torch', 'setuptools'],
    'mmcv': ['torch', 'mmengine'],
    'gpu ops': ['mmcv'],
    'mmdet': ['mmcv', 'torchvision'],
    'mmpose': ['mmcv', 'torchvision', 'xtcocotools', 'opencv'],
    'handkp_plugins': ['mmpose'],
}
# Without these the package still works in part.
OPTIONAL = {'gpu ops', 'vtk rendering', 'mmdet', 'gradio'}


@dataclass
class Finding:
    """One line of the report. ``state``: ``'ok'``, ``'warn'`` or ``'fail'``; ``fix``: a command, empty when ok."""

    name: str
    state: str
    detail: str
    fix: str = ''


def installed_version(package: str) -> str | None:
    """Version of an installed distribution, None where there is none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def render_triangle() -> None:
    """Render one triangle off screen with VTK; raises RuntimeError where no OpenGL library can do it."""
    import vtk

    source, mapper, actor = vtk.vtkRegularPolygonSource(), vtk.vtkPolyDataMapper(), vtk.vtkActor()
    source.SetNumberOfSides(3)
    mapper.SetInputConnection(source.GetOutputPort())
    actor.SetMapper(mapper)
    renderer, window = vtk.vtkRenderer(), vtk.vtkRenderWindow()
    renderer.AddActor(actor)
    window.SetOffScreenRendering(1)
    window.SetSize(16, 16)
    window.AddRenderer(renderer)
    window.Render()
    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.Update()
    if grab.GetOutput().GetScalarRange()[1] == 0:
        raise RuntimeError('VTK rendered a black picture')


def run_probe(name: str, timeout: float = 180) -> tuple[bool, str]:
    """Run one probe in a process of its own: whether it succeeded, and its detail or the last line of its error."""
    try:
        # The marker in argv lets the package be imported by its own probe for VTK in a broken environment.
        args = [sys.executable, '-W', 'ignore', '-c', PROBES[name]]
        if name == 'vtk rendering':
            args.append('handkp_plugins.doctor')
        done = subprocess.run(args, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        return False, f'no answer within {timeout:.0f} s'
    text = done.stdout if done.returncode == 0 else done.stderr
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ''
    if done.returncode < 0:
        last = f'ended by signal {-done.returncode} {last}'
    return done.returncode == 0, last


def _minor(version: str) -> str:
    return '.'.join(re.split(r'[.+]', version)[:2])


def _check_versions(version_of: Callable[[str], str | None], python: tuple[int, int]) -> list[Finding]:
    """Faults that versions alone show, before anything is imported."""
    found = []
    if not (3, 10) <= python <= (3, 12):
        found.append(Finding('python', 'fail', f'allowed 3.10 to 3.12, found {python[0]}.{python[1]}', FIX['python']))
    torch, vision = version_of('torch'), version_of('torchvision')
    if torch and _minor(torch) not in TORCHVISION_OF:
        found.append(Finding('torch', 'fail', f'allowed 2.10 to 2.13, found {torch}', FIX['torch']))
    elif torch and vision and TORCHVISION_OF[_minor(torch)] != _minor(vision):
        wanted = TORCHVISION_OF[_minor(torch)]
        found.append(
            Finding('torchvision', 'fail', f'torch {torch} needs torchvision {wanted}.x, found {vision}', FIX['torch'])
        )
    for name, (wanted, minor) in OPENMMLAB.items():
        version = version_of(name)
        if version and _minor(version) != minor:
            fix = FIX['mmcv'] if name == 'mmcv' else f'{PIP} install --no-deps {name}=={wanted}'
            found.append(Finding(name, 'fail', f'allowed {minor}.x, found {version}', fix))
    if not version_of('mmcv') and version_of('mmcv-lite'):
        fix = f'{PIP} uninstall -y mmcv-lite && {FIX["mmcv"]}'
        found.append(Finding('mmcv', 'fail', 'mmcv-lite has no compiled ops, mmpose.models needs them', fix))
    setuptools = version_of('setuptools')
    if setuptools and int(setuptools.split('.')[0]) >= 81:
        detail = f'{setuptools} lacks pkg_resources, which mmengine imports; allowed below 81'
        found.append(Finding('setuptools', 'fail', detail, FIX['setuptools']))
    return found


def _failed_probe(name: str, error: str, version: str | None) -> Finding:
    """What a failed probe means and how to mend it."""
    distribution = {'opencv': 'opencv-python', 'vtk rendering': 'vtk'}.get(name, name)
    detail, fix = error, FIX.get(name, '')
    if version is None and name not in ('gpu ops', 'handkp_plugins'):
        detail = 'not installed'
        if name in OPENMMLAB and name != 'mmcv':
            fix = f'{PIP} install --no-deps {name}=={OPENMMLAB[name][0]}'
        elif name in ('numpy', 'opencv', 'vtk rendering'):
            fix = f'{PIP} install {distribution}'
        elif name == 'torchvision':
            fix = FIX['torch']
    elif name == 'torchvision':
        detail, fix = f'does not fit the installed torch ({error})', FIX['torch']
    elif name == 'mmcv' and ('_ext' in error or 'mmcv.ops' in error):
        detail = f'built without ops or against another torch ({error})'
    elif name == 'xtcocotools' and ('dtype size' in error or 'numpy' in error.lower()):
        detail = f'built against another NumPy ({error})'
    elif name == 'gpu ops':
        detail = f'mmcv has no CUDA ops: detection must run on the CPU, all else works ({error})'
    elif not fix:
        fix = f'{PIP} install --force-reinstall --no-deps {distribution}'
    return Finding(name, 'warn' if name in OPTIONAL else 'fail', detail, fix)


def diagnose(
    version_of: Callable[[str], str | None] = installed_version,
    probe: Callable[[str], tuple[bool, str]] = run_probe,
    python: tuple[int, int] = sys.version_info[:2],
) -> list[Finding]:
    """Examine the environment.

    Args:
        version_of: Gives the version of a distribution, None where it is not installed.
        probe: Runs the probe of that name: success, and a line of detail or error.
        python: Version of the interpreter.

    Returns:
        One finding per thing examined, faults of versions first.
    """
    findings = _check_versions(version_of, python)
    blamed = {f.name for f in findings}
    for name in PROBES:
        if name in blamed:
            continue
        waits_for = [n for n in NEEDS.get(name, []) if n in blamed]
        if waits_for:
            blamed.add(name)
            findings.append(Finding(name, 'fail', f'cannot be checked before {" and ".join(waits_for)} is mended'))
            continue
        distribution = {'opencv': 'opencv-python', 'vtk rendering': 'vtk', 'gpu ops': 'mmcv'}.get(name, name)
        version = version_of(distribution)
        ok, text = probe(name)
        if ok:
            findings.append(Finding(name, 'ok', text if text and name != 'mmcv' else f'{version or ""} {text}'.strip()))
        else:
            blamed.add(name)
            findings.append(_failed_probe(name, text, version))
    return findings


def main(argv: Sequence[str] | None = None) -> int:
    """Print the report; returns 1 when something must be mended."""
    parser = argparse.ArgumentParser(
        prog='python -m handkp_plugins.doctor',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
            print(f'{"":15}mend it with: {f.fix}')
    if failed:
        print(f'{len(failed)} of {len(findings)} checks failed: {", ".join(f.name for f in failed)}')
    else:
        print('handkp_plugins is ready to use')
    return int(bool(failed))


if __name__ == '__main__':
    sys.exit(main())
