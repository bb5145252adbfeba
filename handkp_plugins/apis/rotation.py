"""Average predictions over rotations at test time, for any top-down config."""

import copy
from typing import Any

from mmengine.config import Config
from torch import nn

from handkp_plugins.models.tta import RotationTTA


def rotated_pipeline(pipeline: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], bool]:
    """Return a test pipeline of four rotated views for :class:`RotationTTA`, and whether it uses UDP.

    Raises ValueError if the pipeline does not have exactly one ``TopdownAffine``.
    """
    types = [step.get('type') for step in pipeline]
    if types.count('TopdownAffine') != 1:
        raise ValueError(f'averaging over rotations: expected a test pipeline with one TopdownAffine, got {types}')
    at = types.index('TopdownAffine')
    views = [dict(pipeline[at], type='TurnedTopdownAffine', turns=(k,)) for k in range(4)]
    after = [[step] for step in pipeline[at + 1 :]]
    steps = [*pipeline[:at], dict(type='TestTimeAug', transforms=[views, *after])]
    return steps, pipeline[at].get('use_udp', False)


def add_rotations(cfg: Config) -> None:
    """Change a config so that its test averages over rotations."""
    dataset = cfg.test_dataloader.dataset
    dataset.pipeline, use_udp = rotated_pipeline(dataset.pipeline)
    hook = dict(type='PrepareTTAHook', tta_cfg=dict(type='RotationTTA', use_udp=use_udp))
    cfg.custom_hooks = [*(cfg.get('custom_hooks') or []), hook]


def with_rotations(model: nn.Module) -> RotationTTA:
    """Wrap a network of :func:`~handkp_plugins.apis.inference.init_model` to average over rotations."""
    cfg = copy.deepcopy(model.cfg)
    cfg.test_dataloader.dataset.pipeline, use_udp = rotated_pipeline(cfg.test_dataloader.dataset.pipeline)
    averaged = RotationTTA(model, use_udp).eval()
    averaged.cfg, averaged.dataset_meta = cfg, model.dataset_meta
    return averaged
