"""Hand keypoints for MMPose 1.x. Importing this package registers its modules in MMPose's registries.

Without MMPose the import does nothing, so that the parts that do not need it can be used. Where MMPose is installed
but cannot be imported, a warning gives the reason and names ``python -m handkp_plugins.doctor``, which says what to
install.
"""

import warnings
from importlib.util import find_spec

from .version import __version__

__all__ = ['__version__']


def _is_ours(error: Exception) -> bool:
    """Whether an error is a fault of this package, not of the environment."""
    if isinstance(error, ImportError):  # raised in our modules in either case
        return (error.name or '').startswith(__name__)
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    return place.tb_frame.f_globals.get('__name__', '').startswith(f'{__name__}.')


if find_spec('mmpose') is not None:
    try:
        from . import codecs, datasets, engine, evaluation, models, visualization  # noqa: F401
    except Exception as e:
        if _is_ours(e):
            raise
        warnings.warn(
            f'handkp_plugins is not registered in MMPose ({" ".join(str(e).split())[:300]}): '
            'run `python -m handkp_plugins.doctor`, which says what to install',
            stacklevel=2,
        )
