"""HaMuCo's networks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.hand_views import samples_of, seen_hands
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope
from mmpose.registry import MODELS
from torch import Tensor, nn

from handkp_plugins.evaluation.functional.hand_mesh import procrustes_errors
from handkp_plugins.models.heads import HaMuCoHead
from handkp_plugins.models.heads.hamuco_head import num_views
from handkp_plugins.models.layers import CrossViewNet, JointFeatures, align_views

CHANNELS, SIZE, VIEWS = (4, 8, 12, 16), 64, 3
STEPS = 200


def parameters(*parts: nn.Module) -> int:
    return sum(p.numel() for part in parts for p in part.parameters())


def make_head(**options: object) -> HaMuCoHead:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpose'):
        return HaMuCoHead(**dict(in_channels=CHANNELS, input_size=(SIZE, SIZE)) | options).eval()


def maps(images: int, seed: int = 0) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        torch.randn(images, c, SIZE // s, SIZE // s, generator=generator)
        for c, s in zip(CHANNELS, (4, 8, 16, 32), strict=True)
    )


@pytest.mark.parametrize(
    ('channels', 'size', 'width', 'number'),
    [
        ((64, 128, 256, 512), 256, 1024, 20_519_435),
        ((256, 512, 1024, 2048), 256, 2368, 98_362_571),
        ((64, 128, 256, 512), 128, 640, 9_632_651),
    ],
)
def test_sizes_are_those_of_the_paper(channels: tuple[int, ...], size: int, width: int, number: int) -> None:
    with torch.device('meta'):
        features = JointFeatures(channels, size)
        cross = CrossViewNet(features.channels, 109)
    assert features.channels == width and parameters(features, cross) == number


def test_local_features_are_those_at_the_joint() -> None:
    """On a ramp, the feature is the coordinate: pixel numbers count from the centre of the first pixel."""
    net = JointFeatures((2, 2, 2, 4), SIZE)
    ramps = []
    for stride in (4, 8, 16):
        centres = (torch.arange(SIZE // stride) + 0.5) * stride - 0.5
        ramps.append(torch.stack(torch.meshgrid(centres, centres, indexing='xy'))[None])
    pixels = torch.rand(1, 21, 2, generator=torch.Generator().manual_seed(0)) * 40 + 12
    places = (2 * pixels / SIZE - 1).requires_grad_()
    found = net((*ramps, torch.zeros(1, 4, 2, 2)), places, torch.zeros(1, 153))
    assert torch.allclose(found[..., -6:], pixels.repeat(1, 1, 3), atol=1e-4)
    outside = net((*ramps, torch.zeros(1, 4, 2, 2)), places + 4, torch.zeros(1, 153))
    assert not outside[..., -6:].any() and not torch.autograd.grad(found[..., -6:].sum(), places, allow_unused=True)[0]


def test_copies_of_a_view_change_nothing() -> None:
    head = make_head()
    one = maps(1)
    _, alone = head(one)
    _, many = head(tuple(m.repeat(VIEWS, 1, 1, 1) for m in one), VIEWS)
    assert torch.allclose(many.points, alone.points.expand(VIEWS, -1, -1), atol=1e-6)


def test_the_order_of_views_does_not_matter() -> None:
    head = make_head()
    feats, order = maps(2 * VIEWS), torch.tensor([2, 0, 1, 4, 3, 5])
    _, found = head(feats, VIEWS)
    _, other = head(tuple(m[order] for m in feats), VIEWS)
    assert torch.allclose(other.points, found.points[order], atol=1e-6)
    _, apart = head(feats)
    assert not torch.allclose(apart.points, found.points, atol=1e-4)


@pytest.mark.parametrize('part', ['attention', 'shared'])
def test_parts_can_be_left_out(part: str) -> None:
    feats = maps(VIEWS)
    whole, less = make_head(), make_head(**{part: False})
    assert parameters(less) < parameters(whole)
    assert less(feats, VIEWS)[1].points.isfinite().all()
    alone = make_head(attention=False, shared=False)
    changed = tuple(torch.cat([m[:2], m[2:] + 1]) for m in feats)
    assert torch.equal(alone(feats, VIEWS)[1].points[:2], alone(changed, VIEWS)[1].points[:2])
    assert not torch.equal(less(feats, VIEWS)[1].points[:2], less(changed, VIEWS)[1].points[:2])


def test_the_camera_starts_before_the_hand() -> None:
    single, cross = make_head()(maps(VIEWS), VIEWS)
    assert (single.camera[:, 0] - 4).abs().max() < 2 and (cross.camera[:, 0] - 4).abs().max() < 2


def test_alternation_follows_the_training_and_not_the_validation() -> None:
    """Losses of the same views differ between even and odd iterations, and a validation in between changes nothing."""
    head, feats = make_head(), maps(2 * VIEWS)
    hands, rotations = seen_hands(2, VIEWS)
    samples = samples_of(hands, VIEWS, rotations, SIZE)
    hub = MessageHub.get_instance('alternation')
    found = []
    for iteration in (10, 11, 12):
        hub.update_info('iter', iteration)
        hub.update_info('epoch', 0)
        found.append(head.loss(feats, samples)['loss_consistency'].item())
        for _ in range(iteration - 9):  # validations of one, two and three batches
            head.predict(feats, samples)
    assert found[0] == found[2] and found[0] != found[1]


def test_teaching_starts_with_its_epoch() -> None:
    head, feats = make_head(teach_from=2), maps(VIEWS)
    hands, rotations = seen_hands(1, VIEWS)
    samples = samples_of(hands, VIEWS, rotations, SIZE)
    hub = MessageHub.get_instance('teaching')
    for epoch, taught in ((1, False), (2, True)):
        hub.update_info('epoch', epoch)
        hub.update_info('iter', 0)
        assert ('loss_distillation' in head.loss(feats, samples)) == taught


@pytest.mark.slow
def test_views_show_what_their_2d_labels_do_not_tell() -> None:
    """Eight hands learnt by heart from clean 2D labels of three views each: the meshes are right in depth, too."""
    size, frames = 32, 8
    hands, rotations = seen_hands(frames, VIEWS, spread=0.2, turn=0.4)
    samples = samples_of(hands, VIEWS, rotations, size)
    head = make_head(in_channels=(8, 8, 8, 64), input_size=(size, size), teach_from=1).train()
    shapes = [(8, 8), (8, 4), (8, 2), (64, 1)]
    feats = tuple(nn.Parameter(torch.randn(frames * VIEWS, c, s, s)) for c, s in shapes)
    optimizer = torch.optim.Adam([dict(params=head.parameters()), dict(params=feats, lr=0.03)], 1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    hub = MessageHub.get_instance('by_heart')
    for iteration in range(STEPS):
        hub.update_info('iter', iteration)
        hub.update_info('epoch', int(iteration >= 20))
        losses = head.loss(feats, samples)
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if name.startswith('loss')).backward()
        optimizer.step()
        schedule.step()
    found = head.eval().predict(feats, samples)
    truth = 1000 * hands.points[:, -21:].double().numpy()
    for field in ('keypoints_3d', 'multi_view_keypoints_3d', 'fused_keypoints_3d'):
        predicted = 1000 * np.concatenate([getattr(f, field) for f in found]).astype(float)
        assert procrustes_errors(predicted, truth).mean() < 5, field


def test_predictions() -> None:
    head, feats = make_head(), maps(2 * VIEWS)
    hands, rotations = seen_hands(2, VIEWS)
    found = head.predict(feats, samples_of(hands, VIEWS, rotations, SIZE))
    assert len(found) == 2 * VIEWS
    single, cross = head(feats, VIEWS)
    pixels = SIZE * (single.projected[1] + 1) / 2
    assert torch.allclose(torch.tensor(found[1].keypoints[0]), pixels, atol=1e-4)
    assert found[1].vertices.shape == (1, head.hand_layer.num_vertices, 3)
    assert found[1].fused_vertices.shape == found[1].vertices.shape
    assert abs(found[1].keypoints_3d[0, 9]).max() == 0
    expected = align_views(cross.points.unflatten(0, (2, VIEWS)), rotations.unflatten(0, (2, VIEWS)))[0].mean(2)
    assert torch.allclose(torch.tensor(found[4].fused_keypoints_3d[0]), expected[1, 1, -21:], atol=1e-6)
    assert [f.multi_view_keypoints_3d.shape for f in found] == [(1, 21, 3)] * 6


def test_single_images_need_no_frame() -> None:
    head = make_head(cross_view=False)
    found = head.predict(maps(2), [SimpleNamespace(metainfo={}) for _ in range(2)])
    assert 'fused_vertices' not in found[0] and found[0].keypoints.shape == (1, 21, 2)


def test_groups_must_be_whole() -> None:
    frames = [SimpleNamespace(metainfo=dict(frame_id=f)) for f in (0, 0, 1, 1)]
    assert num_views(frames) == 2
    with pytest.raises(ValueError, match='frame_id: expected 2 views of each frame in a row, got 1 of frame 1'):
        num_views(frames[:3])
    with pytest.raises(ValueError, match='frame_id: expected 1 views of each frame in a row'):
        num_views([frames[0], frames[2], frames[1]])


def test_a_view_without_rotation_is_named() -> None:
    hands, rotations = seen_hands(1, VIEWS)
    samples = samples_of(hands, VIEWS, rotations, SIZE)
    samples[1].set_metainfo(dict(view_rotation=None))
    with pytest.raises(ValueError, match=r'1.jpg: view_rotation: expected \(3, 3\) in each view or in none, got none'):
        make_head().loss(maps(VIEWS), samples)
    assert make_head(extrinsics=False).loss(maps(VIEWS), samples)['loss_consistency'].isfinite()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(in_channels=(1, 2, 3)), 'in_channels: expected four, of strides 4, 8, 16 and 32'),
        (dict(input_size=(80, 80)), 'input_size: expected a multiple of 32'),
    ],
)
def test_wrong_options_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_head(**options)


def test_it_is_registered() -> None:
    assert MODELS.get('HaMuCoHead') is HaMuCoHead
