"""Hand keypoints for MMPose 1.x. Importing this package registers its modules in MMPose's registries.

Where the environment does not suit, the import raises one line that names the culprit and points to
``python -m handkp_plugins.doctor``, which runs even then.
"""

import sys

from .version import __version__

__all__ = ['__version__']


def _asked_for_doctor() -> bool:
    """Whether this process is the doctor, which must answer where nothing else can be imported."""
    return any(a == 'handkp_plugins.doctor' or a.endswith('handkp-doctor') for a in sys.orig_argv)


if not _asked_for_doctor():
    try:
        from . import codecs, datasets, engine, evaluation, models, visualization  # noqa: F401
    except (ImportError, AttributeError, RuntimeError, OSError, AssertionError) as e:
        if (getattr(e, 'name', None) or '').startswith('handkp_plugins'):  # a fault of ours, not of the environment
            raise
        reason = ' '.join(str(e).split())[:300]
        raise ImportError(
            f'handkp_plugins cannot be used in this environment ({reason}): '
            'run `python -m handkp_plugins.doctor`, which says what to install'
        ) from None
