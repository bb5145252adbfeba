"""MMEngine's runner with safe and complete checkpoints, several processes on the CPU, and checked annotations."""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.dist import all_gather_object, get_dist_info, is_main_process
from mmengine.evaluator import Evaluator
from mmengine.fileio import LocalBackend, get_file_backend
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import _ParamScheduler
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import RUNNERS
from torch import nn
from torch.utils.data import DataLoader

from handkp_plugins.datasets.checks.dataset_files import check_dataset_files
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import load_weights, warn_of_other_network
from handkp_plugins.engine.work_dir import check_writable, find_checkpoints
from handkp_plugins.errors import BrokenCheckpointError, CheckpointError
from handkp_plugins.fileio.atomic import atomic_write

from .checkpoint.plain_data import history_buffers, to_plain
from .checkpoint.pretrained import use_safe_loaders
from .launch import check_gpu_count, describe_device, leave_process_group_at_exit, start_cpu_process_group
from .random_state import get_random_state, set_random_state


@RUNNERS.register_module()
class HandRunner(Runner):
    """A :class:`mmengine.runner.Runner` that a config chooses by ``runner_type = 'HandRunner'``. It adds:

    - Checkpoints are written whole or not at all, hold plain data, and are read without running anything in them. They
      keep the random state of every process: a training by epochs with ``num_workers=0`` that is resumed by as many
      processes gives the same result as an uninterrupted one.
    - Resuming without a name takes the newest whole checkpoint.
    - Weights of another network are refused; a training may start from weights that fit in part.
    - Without a GPU, ``launcher`` joins processes by gloo.
    - COCO annotations are checked before their dataset is built.
    - ``channels_last=True`` in the config sets that memory layout, which is faster on recent CPUs and GPUs.
    """

    _random_states: list[dict] | None = None  # of all processes, for the checkpoint being written
    _state_before_val: dict | None = None
    _resumed_states: list[dict] | None = None
    _resuming = False

    def __init__(self, model: nn.Module | dict, work_dir: str, **kwargs: Any) -> None:
        check_writable(work_dir)
        use_safe_loaders()
        super().__init__(model, work_dir, **kwargs)
        self.logger.info(describe_device(self.world_size))

    def setup_env(self, env_cfg: dict) -> None:
        """Join the processes, by gloo if there is no GPU, and set up the rest as MMEngine does."""
        if self.distributed:
            leave_process_group_at_exit()
        if self.distributed and get_device() == 'cpu':
            start_cpu_process_group(self.launcher, env_cfg.get('dist_cfg', {}).get('timeout'))
        elif self.distributed:
            check_gpu_count()
        super().setup_env(env_cfg)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap the network for several processes, also on the CPU, in the memory layout of the config."""
        if self.cfg.get('channels_last', False):
            model = model.to(memory_format=torch.channels_last)
        if self.distributed and get_device() == 'cpu':
            if self.cfg.pop('sync_bn', None) is not None:
                self.logger.warning('sync_bn needs GPUs: batch norm stays per process')
            model = revert_sync_batchnorm(model)
            if model_wrapper_cfg is None:
                unused = self.cfg.get('find_unused_parameters', False)
                model_wrapper_cfg = dict(broadcast_buffers=False, find_unused_parameters=unused)
            model_wrapper_cfg = dict(model_wrapper_cfg, device_ids=None)
        return super().wrap_model(model_wrapper_cfg, model)

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """Check the annotation files of the dataset, and build the loader as MMEngine does."""
        if isinstance(dataloader, dict):
            check_dataset_files(dataloader.get('dataset'))
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def build_evaluator(self, evaluator: dict | list | Evaluator) -> Evaluator:
        """Build the evaluator as MMEngine does, but let metrics exchange files below the work dir."""
        evaluator = super().build_evaluator(evaluator)
        for metric in evaluator.metrics:
            if metric.collect_device == 'cpu' and metric.collect_dir is None:
                metric.collect_dir = os.path.join(self.log_dir, 'collected')
        return evaluator

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call all hooks. Validation leaves the random state of the training as it was, and hooks leave only plain data
        in a checkpoint."""
        if fn_name == 'before_val':
            self._state_before_val = get_random_state()
        super().call_hook(fn_name, **kwargs)
        if fn_name == 'after_val' and self._state_before_val is not None:
            set_random_state(self._state_before_val)
            self._state_before_val = None
        elif fn_name == 'before_save_checkpoint':
            self._make_plain(kwargs['checkpoint'])

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict | None = None,
        save_optimizer: bool = True,
        **kwargs: Any,
    ) -> None:
        """Write ``out_dir/filename`` whole or not at all. Every process must call this.

        Raises TypeError if a hook or the message hub holds an object that a checkpoint may not hold.
        """
        own = self._state_before_val or get_random_state()
        self._random_states = all_gather_object(own) if save_optimizer else None
        if not is_main_process():
            return
        if not isinstance(get_file_backend(out_dir, backend_args=kwargs.get('backend_args')), LocalBackend):
            super().save_checkpoint(out_dir, filename, file_client_args, save_optimizer, **kwargs)
            return
        with atomic_write(os.path.join(out_dir, filename)) as temporary:
            super().save_checkpoint(out_dir, os.path.basename(temporary), file_client_args, save_optimizer, **kwargs)

    def _make_plain(self, checkpoint: dict) -> None:
        for schedulers in _scheduler_states(checkpoint.get('param_schedulers')):
            for name in [k for k, v in schedulers.items() if callable(v)]:
                del schedulers[name]  # a function of the scheduler's class, which building it sets again
        if self._random_states is not None:
            checkpoint['random_states'] = self._random_states
        for name in checkpoint:
            checkpoint[name] = to_plain(checkpoint[name], name)

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = 'cpu',
        strict: bool = False,
        revise_keys: Sequence[tuple[str, str]] = ((r'^module\.', ''),),
    ) -> dict:
        """Load weights; all must fit, except that a training may start from a part of them unless ``strict``."""
        checkpoint = read_checkpoint(filename, map_location)
        training = isinstance(self._train_loop, BaseLoop)
        if self._resuming:
            self._prepare_resuming(checkpoint, filename)
        if 'state_dict' not in checkpoint:
            checkpoint = {'state_dict': checkpoint}  # bare weights: hooks look for this key
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        partial = training and not self._resuming and not strict
        load_weights(self.model, checkpoint, filename, partial, revise_keys)
        warn_of_other_network(checkpoint, self.cfg, filename)
        self._has_loaded = True
        self.logger.info(f'Loaded {filename}')
        return checkpoint

    def _prepare_resuming(self, checkpoint: dict, filename: str) -> None:
        """Check that a checkpoint has what resuming needs, and bring it into the form that MMEngine expects."""
        meta = checkpoint.get('meta', {})
        lacking = [key for key in ('state_dict', 'message_hub', 'optimizer') if key not in checkpoint]
        lacking += [f'meta.{key}' for key in ('epoch', 'iter') if key not in meta]
        if lacking:
            raise CheckpointError(
                f'{filename}: expected the state of a training, got a checkpoint without {", ".join(lacking)}; '
                'to start a new training from its weights, set load_from instead'
            )
        # MMEngine would run this text as Python code.
        meta.pop('config', None)
        # Equal metainfo, stored as plain data, must not look like another dataset's.
        metainfo = getattr(self.train_dataloader.dataset, 'metainfo', None)
        if to_plain(metainfo) == to_plain(meta.get('dataset_meta')):
            meta['dataset_meta'] = metainfo
        hub = checkpoint['message_hub']
        hub['log_scalars'] = history_buffers(hub['log_scalars'])
        self._resumed_states = checkpoint.pop('random_states', None)

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable = 'default',
    ) -> None:
        """Resume a training with its order of samples and its random states.

        Raises CheckpointError if the checkpoint is broken, of another network, or without the state of a training.
        """
        self._resuming = True
        planned = self._schedule_ends()
        try:
            device = 'cpu' if map_location == 'default' else map_location  # random states live there
            super().resume(filename, resume_optimizer, resume_param_scheduler, device)
        finally:
            self._resuming = False
        if resume_param_scheduler and planned and (ends := self._schedule_ends()) != planned:
            self.logger.warning(
                f'{filename}: the learning rate keeps the schedule of this training, whose parts end at {ends}, not at '
                f'{planned}, as the config says now. To train for longer, start from these weights by load_from'
            )
        # The sampler was built before the checkpoint's seed was known.
        sampler = self.train_dataloader.sampler
        if hasattr(sampler, 'seed') and not self._randomness_cfg.get('diff_rank_seed', False):
            sampler.seed = self.seed
        rank, world_size = get_dist_info()
        if self._resumed_states is not None and len(self._resumed_states) == world_size:
            set_random_state(self._resumed_states[rank])
        else:
            self.logger.warning(f'{filename} has no random states of {world_size} processes: they start from the seed')

    def build_param_scheduler(
        self, scheduler: _ParamScheduler | dict | list
    ) -> list[_ParamScheduler] | dict[str, list[_ParamScheduler]]:
        """Build the schedule as MMEngine does, but only warn of a part that would begin when the training ends."""
        if isinstance(scheduler, list) and isinstance(self._train_loop, BaseLoop):
            scheduler = [self._with_room(part) for part in scheduler]
        return super().build_param_scheduler(scheduler)

    def _with_room(self, part: _ParamScheduler | dict) -> _ParamScheduler | dict:
        """Let a part of the schedule end after it begins, so that a checkpoint holds all parts."""
        if not isinstance(part, dict) or 'end' in part:
            return part
        unit, end = ('epoch', self.max_epochs) if part.get('by_epoch', True) else ('iteration', self.max_iters)
        begin = part.get('begin', 0)
        if begin < end:
            return part
        self.logger.warning(
            f'param_scheduler: {part["type"]} would begin at {unit} {begin}, and the training ends at {end}: '
            'it has no effect'
        )
        return dict(part, end=begin + 1)

    def _schedule_ends(self) -> list[int]:
        """The end of each part of the learning rate's schedule."""
        schedulers = self.param_schedulers if isinstance(self.param_schedulers, list) else []
        return [s.end for s in schedulers if isinstance(s, _ParamScheduler)]

    def load_or_resume(self) -> None:
        """Load or resume as MMEngine does; without a name, resume from the newest whole checkpoint.

        Raises BrokenCheckpointError if there are checkpoints, but none is whole.
        """
        rank, _ = get_dist_info()
        if rank:  # MMEngine seeds all processes alike, and each would draw the same random numbers
            torch.manual_seed(self.seed + rank)
        if self._has_loaded or not self._resume or self._load_from is not None:
            super().load_or_resume()
            return
        broken: list[str] = []
        for path in find_checkpoints(self.work_dir):
            try:
                return self.resume(path)
            except BrokenCheckpointError as e:
                self.logger.warning(f'Skipped: {e}')
                broken.append(str(e))
        if broken:
            raise BrokenCheckpointError(
                f'{self.work_dir}: no whole checkpoint to resume from; to start afresh, remove {"; ".join(broken)}'
            )
        self.logger.info(f'No checkpoint in {self.work_dir}: the training starts afresh')


def _scheduler_states(stored: Any) -> Iterator[dict]:
    """The state of each scheduler: a list for one optimizer, a dictionary of lists for several."""
    for states in stored.values() if isinstance(stored, dict) else [stored or []]:
        yield from states
