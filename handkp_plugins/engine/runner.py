"""MMEngine's runner with safe, complete checkpoints, data-parallel training on the CPU and checked annotations."""

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

from handkp_plugins.datasets.checks.dataset_files import check_annotation_files
from handkp_plugins.engine.checkpoint.reading import read_checkpoint
from handkp_plugins.engine.checkpoint.weights import load_weights, warn_of_other_network
from handkp_plugins.engine.work_dir import check_writable, find_checkpoints
from handkp_plugins.errors import BrokenCheckpointError, CheckpointError
from handkp_plugins.fileio.atomic import replaced_whole

from .checkpoint.plain_data import history_buffers, to_plain
from .checkpoint.pretrained import use_safe_loaders
from .launch import check_gpu_count, describe_device, leave_process_group_at_exit, start_cpu_process_group
from .random_state import get_random_state, set_random_state


@RUNNERS.register_module()
class HandRunner(Runner):
    """A :class:`mmengine.runner.Runner`; configs choose it by ``runner_type = 'HandRunner'``. What it adds:

    - Checkpoints appear whole or not at all, hold plain data only, and are read by ``weights_only`` loading; nothing in
      them is run; so it is with the weights that ``init_cfg`` names. They keep the random state of every process: a
      training by epochs, resumed with as many processes, goes on as if it had not been interrupted (with
      ``num_workers=0``; workers start their random numbers anew).
    - Resuming without a name takes the newest checkpoint that is whole, and lists those passed over.
    - Weights of another network are refused, except that a training may start from weights that fit in part.
    - Where there is no GPU, ``launcher`` joins processes by gloo.
    - COCO annotations of keypoints, and of boxes for MMDetection, are checked before their dataset is built.
    - ``channels_last=True`` in the config keeps the network's weights in that layout: the same results, quicker
      convolutions on recent CPUs and GPUs.

    Arguments, and the keys of a config, are those of :class:`mmengine.runner.Runner`.
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
        """As MMEngine's, after joining the processes by gloo where there is no GPU."""
        if self.distributed:
            leave_process_group_at_exit()
        if self.distributed and get_device() == 'cpu':
            start_cpu_process_group(self.launcher, env_cfg.get('dist_cfg', {}).get('timeout'))
        elif self.distributed:
            check_gpu_count()
        super().setup_env(env_cfg)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """As MMEngine's, on the CPU too, and in the memory layout that the config asks for."""
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
        """As MMEngine's, after a check of each annotation file that the dataset, or one that it wraps, will read."""
        if isinstance(dataloader, dict):
            check_annotation_files(dataloader.get('dataset'))
        return Runner.build_dataloader(dataloader, seed, diff_rank_seed)

    def build_evaluator(self, evaluator: dict | list | Evaluator) -> Evaluator:
        """As MMEngine's; metrics that join several processes' results by files do so below the work dir."""
        evaluator = super().build_evaluator(evaluator)
        for metric in evaluator.metrics:
            if metric.collect_device == 'cpu' and metric.collect_dir is None:
                metric.collect_dir = os.path.join(self.log_dir, 'collected')  # else in the current folder
        return evaluator

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call all hooks; whatever these are, keep validation from disturbing the random numbers of the training, and
        what they put into a checkpoint plain."""
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
        """Write ``out_dir/filename`` whole or not at all. To be called by every process, for each has its random state.

        Raises:
            OSError: The disk is full or read-only; names the file.
            TypeError: A hook or the message hub holds an object that a checkpoint may not hold; names where.
        """
        self._random_states = (
            all_gather_object(self._state_before_val or get_random_state()) if save_optimizer else None
        )
        if not is_main_process():
            return
        if not isinstance(get_file_backend(out_dir, backend_args=kwargs.get('backend_args')), LocalBackend):
            super().save_checkpoint(out_dir, filename, file_client_args, save_optimizer, **kwargs)
            return
        with replaced_whole(os.path.join(out_dir, filename)) as temporary:
            super().save_checkpoint(out_dir, os.path.basename(temporary), file_client_args, save_optimizer, **kwargs)

    def _make_plain(self, checkpoint: dict) -> None:
        for schedulers in _scheduler_states(checkpoint.get('param_schedulers')):
            for name in [k for k, v in schedulers.items() if callable(v)]:
                del schedulers[name]  # a function of the scheduler's class: there again when it is built
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
        """Load weights by :func:`read_checkpoint` and :func:`load_weights`.

        To start a training, a part of the weights may fit (unless ``strict``); to resume, test or validate, all must.
        """
        checkpoint = read_checkpoint(filename, map_location)
        training = isinstance(self._train_loop, BaseLoop)
        if self._resuming:
            self._prepare_resuming(checkpoint, filename)
        if 'state_dict' not in checkpoint:
            checkpoint = {'state_dict': checkpoint}  # bare weights: hooks, as that of averaged weights, look there
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        partial = training and not self._resuming and not strict
        load_weights(self.model, checkpoint, filename, partial, revise_keys)
        warn_of_other_network(checkpoint, self.cfg, filename)
        self._has_loaded = True
        self.logger.info(f'Loaded {filename}')
        return checkpoint

    def _prepare_resuming(self, checkpoint: dict, filename: str) -> None:
        """Check that a checkpoint has what resuming needs and bring it into the form that MMEngine's method expects."""
        meta = checkpoint.get('meta', {})
        lacking = [key for key in ('state_dict', 'message_hub', 'optimizer') if key not in checkpoint]
        lacking += [f'meta.{key}' for key in ('epoch', 'iter') if key not in meta]
        if lacking:
            raise CheckpointError(
                f'{filename}: a training cannot be resumed from it, for it lacks {", ".join(lacking)}; '
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
        """Resume a training, with its order of samples and random states. By default it is read into the CPU's memory.

        Raises:
            BrokenCheckpointError: Not a whole checkpoint.
            CheckpointError: Of another network, or without the state of a training.
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
                f'{filename}: the learning rate follows the schedule that this training began with, whose parts end '
                f'at {ends}, not at {planned}, as the config says now: what comes after its end changes little. '
                'For a longer training start one from these weights: load_from instead of resume'
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
        """As MMEngine's, but a part that would begin at the training's end, such as the cosine after a warm-up of one
        epoch where ``max_epochs`` is 1, is no error: a warning says that it has no effect."""
        if isinstance(scheduler, list) and isinstance(self._train_loop, BaseLoop):
            scheduler = [self._with_room(part) for part in scheduler]
        return super().build_param_scheduler(scheduler)

    def _with_room(self, part: _ParamScheduler | dict) -> _ParamScheduler | dict:
        """A part of the schedule that ends after it begins. None is left out, so that checkpoints hold them all."""
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
        """Where each part of the learning rate's schedule ends, once it is built."""
        schedulers = self.param_schedulers if isinstance(self.param_schedulers, list) else []
        return [s.end for s in schedulers if isinstance(s, _ParamScheduler)]

    def load_or_resume(self) -> None:
        """As MMEngine's; without a name, resume from the newest whole checkpoint of the work dir.

        Raises:
            BrokenCheckpointError: There are checkpoints, and none is whole.
        """
        rank, _ = get_dist_info()
        if rank:  # MMEngine seeds all processes alike: what the model draws would be the same for each one's samples
            torch.manual_seed(self.seed + rank)
        if self._has_loaded or not self._resume or self._load_from is not None:
            super().load_or_resume()
            return
        broken: list[str] = []
        for path in find_checkpoints(self.work_dir):
            try:
                self.resume(path)
            except BrokenCheckpointError as e:
                self.logger.warning(f'Passed over: {e}')
                broken.append(str(e))
            else:
                return
        if broken:
            raise BrokenCheckpointError(
                f'{self.work_dir}: no whole checkpoint to resume from; to start afresh, remove {"; ".join(broken)}'
            )
        self.logger.info(f'No checkpoint in {self.work_dir}: the training starts afresh')


def _scheduler_states(stored: Any) -> Iterator[dict]:
    """The state of each scheduler: of one optimizer a list, of several a dictionary of lists."""
    for states in stored.values() if isinstance(stored, dict) else [stored or []]:
        yield from states
