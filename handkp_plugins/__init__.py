"""Hand keypoints for MMPose 1.x. Importing this package registers its modules in MMPose's registries.

Without MMPose the import does nothing, and parts that do not need MMPose can be used. If MMPose is broken, a warning
gives the reason.
"""

import sys
import warnings
from importlib.util import find_spec

from .version import __version__

__all__ = ['__version__']

# The doctor must run even if importing torch ends the process.
_IN_DOCTOR = any(argument.endswith(('handkp_plugins.doctor', 'handkp-doctor')) for argument in sys.orig_argv)

if find_spec('mmpose') is not None and not _IN_DOCTOR:
    try:
        import mmpose.apis
        import mmpose.models  # noqa: F401
    except Exception as e:  # each broken package raises its own error
        warnings.warn(
            f'handkp_plugins is not registered in MMPose ({" ".join(str(e).split())[:300]}): '
            'run `python -m handkp_plugins.doctor`, which says what to install',
            stacklevel=2,
        )
    else:
        from . import codecs, datasets, engine, evaluation, models, visualization  # noqa: F401
