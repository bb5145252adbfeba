"""The classes that configs may name."""

import inspect

from mmengine.registry import Registry
from mmpose import registry

import handkp_plugins  # noqa: F401  registers them


def test_every_registered_class_has_a_docstring():
    registries = [r for _, r in inspect.getmembers(registry, lambda member: isinstance(member, Registry))]
    ours = {c for r in registries for c in r.module_dict.values() if c.__module__.startswith('handkp_plugins.')}
    assert len(ours) > 40
    assert not [c.__name__ for c in ours if not vars(c).get('__doc__')]
