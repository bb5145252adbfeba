"""Tools as modules, for their ``main`` and their functions."""

import importlib.util
import sys
from types import ModuleType

from helpers.paths import TOOLS


def load_tool(name: str) -> ModuleType:
    """The module of a tool, by its path below ``tools`` without the suffix."""
    full_name = 'tools_' + name.replace('/', '_')  # the plain name may be another module's: test
    spec = importlib.util.spec_from_file_location(full_name, TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module  # dataclasses look there
    sys.path.insert(0, str((TOOLS / name).parent))  # as for a script: its helpers lie beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.pop(0)
    return module
