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


def _is_ours(error: Exception) -> bool:
    """Whether an error is a fault of this package, not of the environment."""
    if isinstance(error, ImportError):  # raised in our modules in either case
        return (error.name or '').startswith(__name__)
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    return place.tb_frame.f_globals.get('__name__', '').startswith(f'{__name__}.')


if not _asked_for_doctor():
    try:
        from . import codecs, datasets, engine, evaluation, models, visualization  # noqa: F401
    except (ImportError, AttributeError, RuntimeError, OSError, AssertionError) as e:
        if _is_ours(e):
            raise
        reason = ' '.join(str(e).split())[:300]
        raise ImportError(
            f'handkp_plugins cannot be used in this environment ({reason}): '
            'run `python -m handkp_plugins.doctor`, which says what to install'
        ) from None
