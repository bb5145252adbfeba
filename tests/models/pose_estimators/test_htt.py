"""HTT: its size, that nothing in it is dead, what each output depends on, and that padding is nothing to it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import MMDistributedDataParallel
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from handkp_plugins.models.pose_estimators import HTT

CAMERA = np.array([[35, 0, 24], [0, 35, 13.5], [0, 0, 1]], np.float32)
RESNET = dict(depth=18, stem_channels=8, base_channels=8)
CLIPS_OF_RANKS = (8, 8, 21, 0), (3, 8, 21, 1)
"""Valid frames, length, joints and seed of :func:`clip`."""


def build(joints: int = 21, objects: int = 3, actions: int = 5, window: int = 4, **head: object) -> HTT:
    torch.manual_seed(0)
    init_default_scope('mmpose')
    sizes = dict(embed_dims=64, num_heads=2, feedforward_channels=32)
    model = MODELS.build(
        dict(
            type='HTT',
            data_preprocessor=dict(type='ClipDataPreprocessor'),
            backbone=dict(type='ResNet', zero_init_residual=False, norm_eval=True, **RESNET),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='HTTHead', num_joints=joints, num_objects=objects, num_actions=actions, window=window,
                decoder=dict(type='PixelDepthLabel', input_size=(48, 27)), **sizes | head)))  # fmt: skip
    model.init_weights()
    return model


def clip(valid: int = 8, length: int = 8, joints: int = 21, seed: int = 0, **meta: object) -> dict:
    """A packed clip of noise whose first frames are valid."""
    rng = np.random.default_rng(seed)
    keypoints = rng.uniform([-0.1, -0.1, 0.3], [0.1, 0.1, 0.6], (length, joints, 3)).astype(np.float32)
    labels = dict(
        keypoint_labels=torch.from_numpy(keypoints * [100, 100, 1]).float(),
        keypoint_weights=torch.ones(length, joints),
    )
    flags = np.arange(length) < valid
    sample = PoseDataSample(
        metainfo=dict(frame_valid=flags, camera=CAMERA, action=1, object=2, video_id=0, frame_id=np.arange(length))
        | meta
    )
    sample.gt_instance_labels = InstanceData(**labels)
    return dict(inputs=torch.from_numpy(rng.integers(0, 256, (valid, 3, 27, 48), dtype=np.uint8)), data_samples=sample)


def batch(model: HTT, *clips: dict) -> dict:
    return model.data_preprocessor(pseudo_collate(list(clips)))


@torch.no_grad()
def outputs(model: HTT, inputs: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, ...]:
    return model.eval().head(model.extract_feat(inputs, valid), valid)


@pytest.mark.parametrize(('joints', 'objects', 'actions', 'total'), [(21, 26, 45, 25_468_102), (42, 8, 36, 25_498_858)])
def test_number_of_parameters(joints: int, objects: int, actions: int, total: int) -> None:
    head = dict(type='HTTHead', num_joints=joints, num_objects=objects, num_actions=actions)
    with torch.device('meta'):
        init_default_scope('mmpose')
        backbone, neck = dict(type='ResNet', depth=18), dict(type='GlobalAveragePooling')
        model = MODELS.build(dict(type='HTT', backbone=backbone, neck=neck, head=head))
    assert sum(p.numel() for p in model.parameters()) == total
    assert sum(p.numel() for p in model.backbone.parameters()) == 11_176_512


@pytest.mark.parametrize('joints', [21, 42])
def test_a_training_step_reaches_every_parameter(joints: int) -> None:
    model = build(joints).train()
    data = batch(model, clip(8, joints=joints), clip(3, joints=joints, seed=1))
    losses = model(**data, mode='loss')
    assert set(losses) == {'loss_action', 'loss_object', 'loss_pixel', 'loss_depth', 'acc_action'}
    total, _ = model.parse_losses(losses)
    total.backward()
    assert total.isfinite()
    assert [n for n, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []
    assert not any(m.training for m in model.backbone.modules() if isinstance(m, torch.nn.BatchNorm2d))


def _gradients_on_rank(rank: int, folder: Path) -> None:
    """Train on one of two clips of 8 and 3 frames; rank 0 saves the gradients."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group('gloo', f'file://{folder}/init', rank=rank, world_size=2)
    model = build().train()
    parallel = MMDistributedDataParallel(model, broadcast_buffers=False)
    losses = parallel(**batch(model, clip(*CLIPS_OF_RANKS[rank])), mode='loss')
    model.parse_losses(losses)[0].backward()
    if rank == 0:
        torch.save({name: p.grad for name, p in model.named_parameters()}, folder / 'gradients.pth')
    torch.distributed.destroy_process_group()


def test_two_processes_have_the_gradient_of_one(tmp_path: Path) -> None:
    """Two processes with a clip each, of unequal length, against one process with both clips."""
    torch.multiprocessing.start_processes(_gradients_on_rank, (tmp_path,), nprocs=2, start_method='fork')
    model = build().train()
    losses = model(**batch(model, *(clip(*values) for values in CLIPS_OF_RANKS)), mode='loss')
    model.parse_losses(losses)[0].backward()
    found = torch.load(tmp_path / 'gradients.pth', weights_only=True)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, rtol=1e-3, atol=1e-5, msg=name)


def test_the_action_trains_poses_and_objects() -> None:
    """Gradients pass through a, b and the probabilities of objects, and not through c, which h does not hold."""
    model = build()
    _, _, actions = model(torch.rand(1, 8, 3, 27, 48), None)
    actions[0, 0].backward()
    gradient = model.head.pose_mlp[-1].weight.grad.view(21, 3, -1)
    assert (gradient[:, :2].abs().sum(2) > 0).all() and (gradient[:, 2] == 0).all()
    assert model.head.object_mlp[0].weight.grad.abs().sum() > 0


def test_predictions_of_a_batch() -> None:
    model = build(42).eval()
    samples = model.test_step(pseudo_collate([clip(8, joints=42), clip(3, joints=42, seed=1)]))
    for sample in samples:
        frames = sample.pred_instances
        shapes = frames.keypoints.shape, frames.keypoints_3d.shape, frames.object_scores.shape
        assert shapes == ((8, 42, 2), (8, 42, 3), (8, 3))
        assert all(np.isfinite(field).all() for _, field in frames.items())
        assert frames.object_scores.sum(1) == pytest.approx(np.ones(8)) and sample.pred_action_scores.shape == (5,)
        assert sample.pred_action_scores.sum() == pytest.approx(1)
        projected = frames.keypoints_3d @ CAMERA.T
        assert projected[..., :2] / projected[..., 2:] == pytest.approx(frames.keypoints, abs=1e-3)


def test_zero_outputs_mean_the_middle_of_the_image() -> None:
    model = build().eval()
    for parameter in (model.head.pose_mlp[-1].weight, model.head.pose_mlp[-1].bias):
        parameter.data.zero_()
    (sample,) = model.test_step(pseudo_collate([clip()]))
    assert sample.pred_instances.keypoints == pytest.approx(np.broadcast_to([24, 13.5], (8, 21, 2)))
    assert sample.pred_instances.keypoints_3d[..., 2] == pytest.approx(np.full((8, 21), 0.4))


@pytest.mark.parametrize('valid', [1, 3, 4, 5, 8])
def test_padding_is_nothing(valid: int) -> None:
    """Noise in padded frames changes nothing valid, nothing is NaN, windows of padding included."""
    model = build()
    flags = torch.arange(8)[None] < valid
    clean = torch.rand(1, 8, 3, 27, 48)
    noisy = torch.where(flags[..., None, None, None], clean, float('nan'))
    first, second = outputs(model, clean, flags), outputs(model, noisy, flags)
    for a, b in zip(first[:2], second[:2], strict=True):
        torch.testing.assert_close(a[flags], b[flags])
        assert b.isfinite().all()
    torch.testing.assert_close(first[2], second[2])
    # features of padded frames would be seen just as little
    features = model.extract_feat(clean, flags)
    other = torch.where(flags[..., None], features, 1e3 * torch.randn_like(features))
    torch.testing.assert_close(model.head(other, flags)[2], first[2])


def test_a_window_of_padding_after_a_gap() -> None:
    """A frame that is missing where a window begins is not seen by the others of it."""
    model = build()
    flags = torch.tensor([[True, True, False, True, False, True, True, False]])
    features = model.eval().extract_feat(torch.rand(1, 8, 3, 27, 48), flags)
    other = torch.where(flags[..., None], features, 1e3 * torch.randn_like(features))
    for a, b in zip(model.head(features, flags)[:2], model.head(other, flags)[:2], strict=True):
        torch.testing.assert_close(a[flags], b[flags])


def test_the_backbone_runs_on_valid_frames_alone() -> None:
    model = build()
    seen = []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    model.test_step(pseudo_collate([clip(3), clip(1, seed=1)]))
    assert seen == [4]


def test_a_changed_frame_alters_its_window_and_the_action() -> None:
    """Windows of 4; frame 5 lies in the second of three, the last of which has two frames."""
    model = build()
    flags = torch.ones(1, 10, dtype=torch.bool)
    images = torch.rand(1, 10, 3, 27, 48)
    changed = images.clone()
    changed[0, 5] = torch.rand(3, 27, 48)
    before, after = outputs(model, images, flags), outputs(model, changed, flags)
    moved = (before[0] - after[0]).abs().amax((0, 2, 3)) > 1e-6
    assert moved.tolist() == [False] * 4 + [True] * 4 + [False] * 2
    assert not torch.allclose(before[2], after[2], atol=1e-6)


def test_order_of_frames_matters() -> None:
    """Reversed frames, another score."""
    model = build()
    flags, images = torch.ones(1, 8, dtype=torch.bool), torch.rand(1, 8, 3, 27, 48)
    forwards, backwards = outputs(model, images, flags)[2], outputs(model, images.flip(1), flags)[2]
    assert not torch.allclose(forwards, backwards, atol=1e-6)


@pytest.mark.parametrize('window', [1, 3, 8])
def test_any_window(window: int) -> None:
    model = build(window=window)
    pose, objects, actions = outputs(model, torch.rand(2, 8, 3, 27, 48), torch.ones(2, 8, dtype=torch.bool))
    assert pose.shape == (2, 8, 21, 3) and objects.shape == (2, 8, 3) and actions.shape == (2, 5)


def test_preprocessing_by_hand() -> None:
    model = build()
    data = clip(1, length=4)
    data['inputs'][:] = torch.tensor([0, 51, 255])[:, None, None]  # BGR
    inputs = batch(model, data)['inputs']
    assert inputs.shape == (1, 4, 3, 27, 48) and inputs.dtype == torch.float32
    torch.testing.assert_close(inputs[0, 0, :, 0, 0], torch.tensor([0.5, -0.3, -0.5]))
    assert (inputs[0, 1:] == 0).all()


@pytest.mark.parametrize(
    ('bad', 'message'),
    [
        (clip(3, length=3), 'inputs: expected clips of 4 frames or more, the window, got 3'),
        (clip(0), 'frame_valid: expected 8 flags, some of them true, got shape'),
        (clip(camera=None), r'camera: expected intrinsics of shape \(3, 3\) in each sample, got none'),
        (clip(camera=np.ones(4)), r'camera: expected intrinsics of shape \(3, 3\) in each sample, got shape \(4,\)'),
        (clip(joints=42), 'num_joints: expected 42, the number of labelled joints, got 21'),
        (clip(action=-1), r'action: expected a label from 0 to 4 \(num_actions: 5\), got -1'),
        (clip(action=5), r'action: expected a label from 0 to 4 \(num_actions: 5\), got 5'),
        (clip(object=3), r'object: expected a label from 0 to 2 \(num_objects: 3\), got 3'),
    ],
)
def test_bad_clips(bad: dict, message: str) -> None:
    model = build()
    with pytest.raises(ValueError, match=message):
        model(**batch(model, bad), mode='loss')


def test_bad_batches() -> None:
    model = build()
    with pytest.raises(ValueError, match='inputs: expected clips of one size and length, got'):
        batch(model, clip(8), clip(8, length=12))
    wrong = clip(3)
    wrong['inputs'] = wrong['inputs'][:2]
    with pytest.raises(ValueError, match='inputs: expected 3 frames, those that are valid, got 2'):
        batch(model, wrong)
    with pytest.raises(ValueError, match=r'inputs: expected clips of shape \(B, T, 3, H, W\), got \(8, 3, 27, 48\)'):
        model(torch.rand(8, 3, 27, 48), None)


@pytest.mark.parametrize('name', ['num_joints', 'num_objects', 'num_actions', 'window'])
def test_bad_counts(name: str) -> None:
    counts = dict(num_joints=21, num_objects=3, num_actions=5, window=4) | {name: 0}
    with pytest.raises(ValueError, match=f'{name}: expected an integer from 1, got 0'):
        MODELS.build(dict(type='HTTHead', **counts))
