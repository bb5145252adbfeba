import json
import logging
from types import SimpleNamespace

import pytest
import torch
import torch.distributed
import torch.multiprocessing
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from handkp_plugins.engine.hooks.unreadable_images import UnreadableImageHook
from handkp_plugins.errors import HandkpError

PIPELINE = [dict(type='LoadHandImage'), dict(type='PackHandInputs')]


class _Model(BaseModel):
    """Counts the samples that it is trained on."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='loss'):
        self.seen += [sample.img_path for sample in data_samples]
        return dict(loss=self.weight.sum())


def _dataset(ann_file, pipeline=PIPELINE, **kwargs) -> dict:
    return dict(
        type='OneHand10KDataset',
        ann_file=str(ann_file),
        data_prefix=dict(img=f'{ann_file.parent}/'),
        pipeline=pipeline,
        **kwargs,
    )


def _train(ann_file, work_dir, max_share, num_workers=0, epochs=2, dataset=None) -> _Model:
    model = _Model()
    Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=dataset or _dataset(ann_file),
            batch_size=2,
            num_workers=num_workers,
            sampler=dict(type='DefaultSampler', shuffle=False),
            collate_fn=dict(type='pseudo_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=[dict(type='UnreadableImageHook', max_share=max_share)],
        default_hooks=dict(checkpoint=None, logger=None),
        default_scope='mmpose',
        experiment_name=f'run{work_dir.name}{num_workers}',
    ).train()
    return model


@pytest.fixture
def broken_set(mini_coco):
    """Four images, one of them empty."""
    (mini_coco.parent / 'images' / '0001.jpg').write_bytes(b'')
    return mini_coco


@pytest.mark.parametrize('num_workers', [0, 2])
def test_training_goes_on_without_them_and_lists_them(num_workers, broken_set, tmp_path):
    model = _train(broken_set, tmp_path, max_share=0.25, num_workers=num_workers)
    assert len(model.seen) == 8 and not any('0001.jpg' in path for path in model.seen)
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert '1 of 4 training images (25.00%) could not be read; trained without them:\n' in log
    assert f'{broken_set.parent}/images/0001.jpg (the file is empty)' in log


def test_too_many_fail_at_once(broken_set, tmp_path):
    with pytest.raises(HandkpError, match=r'1 of 4 .* more than max_share=0.2 allows; among them .*0001.jpg'):
        _train(broken_set, tmp_path, max_share=0.2)


@pytest.mark.parametrize('num_workers', [0, 2])
def test_all_unreadable_is_an_error(num_workers, mini_coco, tmp_path):
    for path in (mini_coco.parent / 'images').iterdir():
        path.unlink()
    with pytest.raises(OSError, match='data_root and data_prefix'):
        _train(mini_coco, tmp_path, max_share=1, num_workers=num_workers)


def test_nothing_is_said_where_all_are_readable(mini_coco, tmp_path):
    _train(mini_coco, tmp_path, max_share=0, epochs=1)
    assert 'could not be read' not in next(tmp_path.glob('*/*.log')).read_text()


def test_packing_that_would_drop_the_report_is_refused(mini_coco, tmp_path):
    dataset = _dataset(mini_coco, pipeline=[dict(type='LoadHandImage'), dict(type='PackPoseInputs')])
    with pytest.raises(ValueError, match=r"PackHandInputs.*\['LoadHandImage', 'PackPoseInputs'\]"):
        _train(mini_coco, tmp_path, max_share=1, dataset=dataset)


def test_combined_and_repeated_sets_count_distinct_images(broken_set, tmp_path):
    parts = [_dataset(broken_set, pipeline=PIPELINE[:1]), _dataset(broken_set, pipeline=PIPELINE[:1])]
    combined = dict(
        type='CombinedDataset',
        datasets=parts,
        pipeline=PIPELINE[1:],
        metainfo=dict(from_file='configs/_base_/datasets/onehand10k.py'),
    )
    _train(broken_set, tmp_path, 0.25, dataset=dict(type='RepeatDataset', times=2, dataset=combined), epochs=1)
    assert '1 of 4 training images' in next(tmp_path.glob('*/*.log')).read_text()


def _gather_on_rank(rank: int, folder) -> None:
    torch.distributed.init_process_group('gloo', f'file://{folder}/init', rank=rank, world_size=2)
    images = [dict(img_path=f'{i}.jpg') for i in range(8)]
    dataset = type('Images', (), dict(get_data_info=lambda self, i: images[i], __len__=lambda self: len(images)))()
    runner = SimpleNamespace(train_dataloader=SimpleNamespace(dataset=dataset), logger=logging.getLogger('test'))
    hook = UnreadableImageHook(max_share=0.2)
    hook.before_train(runner)
    sample = SimpleNamespace(metainfo=dict(unreadable_images={f'{rank}.jpg': 'gone'}))
    hook.after_train_iter(runner, 0, dict(data_samples=[sample]))  # 1 of 8 is bearable
    try:
        hook.after_train_epoch(runner)
        outcome = 'passed'
    except HandkpError as e:
        outcome = str(e)
    (folder / f'rank{rank}.json').write_text(json.dumps(outcome))
    torch.distributed.destroy_process_group()


def test_both_ranks_count_each_others_images(tmp_path):
    torch.multiprocessing.start_processes(_gather_on_rank, (tmp_path,), nprocs=2, start_method='fork')
    for rank in (0, 1):
        assert '2 of 8 training images (25.00%)' in json.loads((tmp_path / f'rank{rank}.json').read_text())


def test_bad_share():
    with pytest.raises(ValueError, match='max_share: expected a number from 0 to 1, got 5'):
        HOOKS.build(dict(type='UnreadableImageHook', max_share=5))
