"""Compositing: what must stay, what must change, and what a sample may depend on."""

import copy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from helpers.tiny_model import CONFIG
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.apis import inference_topdown
from mmpose.models import build_pose_estimator
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.structures import PoseDataSample
from torch import Tensor

from handkp_plugins.models.data_preprocessors import HandCompositor
from handkp_plugins.models.data_preprocessors.batch_random import BatchRandom
from handkp_plugins.models.data_preprocessors.camera_augmentation import CameraAugmentation
from handkp_plugins.models.data_preprocessors.layering import Layering

SIZE = 32
BANK = dict(num=8, size=48)
NORMAL = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True)
NO_LAYERING = dict.fromkeys(Layering.__dataclass_fields__, 0.0)
NO_CAMERA = {k: 0.0 for k, f in CameraAugmentation.__dataclass_fields__.items() if isinstance(f.default, float)}
CPU = torch.device('cpu')


def compositor(off: bool = False, **kwargs: Any) -> HandCompositor:
    """A compositor with a small bank; ``off`` leaves nothing but the background."""
    quiet = dict(layering=NO_LAYERING, camera=NO_CAMERA) if off else {}
    return HandCompositor(**dict(dict(backgrounds=BANK), **quiet, **kwargs))


def batch(layers: list[Tensor], first_id: int = 0) -> dict:
    samples = [PoseDataSample(metainfo=dict(img_id=first_id + i)) for i in range(len(layers))]
    return dict(inputs=layers, data_samples=samples)


def layers(num: int, alpha: int | None = None, seed: int = 0) -> list[Tensor]:
    """Noise; covered inside a disc, or as ``alpha`` says everywhere."""
    images = torch.randint(
        0, 256, (num, 4, SIZE, SIZE), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )
    x = torch.linspace(-1, 1, SIZE)
    images[:, 3] = 255 * (x[None] ** 2 + x[:, None] ** 2 < 0.4) if alpha is None else alpha
    return list(images)


@pytest.mark.parametrize('training', [True, False])
def test_full_coverage_leaves_the_hand_and_none_leaves_the_background(training: bool) -> None:
    hands = layers(3, alpha=255)
    images = compositor(off=True)(batch(hands), training)['inputs']
    torch.testing.assert_close(images, torch.stack(hands)[:, :3].float(), atol=1e-2, rtol=0)

    torch.manual_seed(1)
    one = compositor(off=True)(batch(layers(3, alpha=0)), training)['inputs']
    torch.manual_seed(1)
    other = compositor(off=True)(batch(layers(3, alpha=0, seed=9)), training)['inputs']
    torch.testing.assert_close(one, other)  # colours under no coverage never leak
    assert one.std() > 5


def test_result_is_normalised_rgb_of_three_channels() -> None:
    hands = layers(2, alpha=255)
    images = compositor(off=True, **NORMAL)(batch(hands), True)['inputs']
    assert images.shape == (2, 3, SIZE, SIZE)
    expected = (hands[0][2].float() - 123.675) / 58.395
    torch.testing.assert_close(images[0, 0], expected, atol=1e-3, rtol=0)


def test_evaluation_depends_on_img_id_alone() -> None:
    module, hands = compositor(), layers(5)
    together = module(batch(hands))['inputs']
    torch.manual_seed(99)
    alone = torch.cat([compositor()(batch([hand], first_id=i))['inputs'] for i, hand in enumerate(hands)])
    torch.testing.assert_close(together, alone, atol=0.01, rtol=0)
    other = module(batch(hands, first_id=100))['inputs']
    assert ((together - other).abs().mean((1, 2, 3)) > 2).all()


def test_training_follows_the_seed_and_varies() -> None:
    module, hands = compositor(), layers(4)
    results = []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        results.append(module(batch(hands), True)['inputs'])
    assert torch.equal(results[0], results[1])
    assert ((results[0] - results[2]).abs().mean((1, 2, 3)) > 2).all()
    assert results[0].min() >= 0 and results[0].max() <= 255


def test_photographs_are_mmposes_in_evaluation_and_change_in_training() -> None:
    photographs = [layer[:3] for layer in layers(3)]
    ours, theirs = compositor(**NORMAL), PoseDataPreprocessor(**NORMAL)
    expected = theirs(batch(photographs))
    result = ours(batch(photographs))
    assert torch.equal(result['inputs'], expected['inputs'])
    assert result['data_samples'][0].batch_input_shape == expected['data_samples'][0].batch_input_shape
    assert not torch.allclose(ours(batch(photographs), True)['inputs'], expected['inputs'], atol=0.05)
    mixed = ours(batch([photographs[0], layers(1)[0], photographs[2]]))['inputs']
    torch.testing.assert_close(mixed[[0, 2]], expected['inputs'][[0, 2]], atol=1e-4, rtol=0)


def test_state_stays_out_of_checkpoints_and_copies() -> None:
    module = compositor(**NORMAL)
    module(batch(layers(2)), True)
    assert module.state_dict() == {}
    assert {n for n, _ in module.named_buffers()} == {'mean', 'std'}
    copied = copy.deepcopy(module)
    torch.manual_seed(0)
    one = module(batch(layers(2)), True)['inputs']
    torch.manual_seed(0)
    assert torch.equal(copied(batch(layers(2)), True)['inputs'], one)


def test_autocast_changes_nothing() -> None:
    module, hands = compositor(), layers(3)
    plain = module(batch(hands))['inputs']
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = module(batch(hands))['inputs']
    assert mixed.dtype == torch.float32 and torch.equal(plain, mixed)


def test_photographs_become_backgrounds(tmp_path: Path) -> None:
    for i in range(9):
        cv2.imwrite(str(tmp_path / f'{i}.png'), np.full((40, 60, 3), (20 * i, 0, 250), np.uint8))
    options = dict(BANK, folder=str(tmp_path), photographs=1.0, num=64, mix=0.0)
    module = compositor(off=True, backgrounds=options)
    seen = {t: module(batch(layers(16, alpha=0)), t)['inputs'].mean((2, 3)).round() for t in (True, False)}
    assert (seen[True][:, 1:] == torch.tensor([0, 250])).all()  # BGR stays BGR
    assert set(seen[True][:, 0].tolist()) <= {20.0 * i for i in range(1, 8)}
    assert set(seen[False][:, 0].tolist()) <= {0.0, 160.0}  # every eighth is held out


def test_photographs_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'good.png'), np.full((40, 60, 3), (0, 0, 250), np.uint8))
    (tmp_path / 'bad.jpg').write_bytes((tmp_path / 'good.png').read_bytes()[:-20])
    module = compositor(off=True, backgrounds=dict(BANK, folder=str(tmp_path), photographs=1.0, num=64, mix=0.0))
    colors = module(batch(layers(64, alpha=0)), True)['inputs'].mean((2, 3)).round()
    assert (colors == torch.tensor([0, 0, 250])).all(1).float().mean() > 0.9


@pytest.mark.parametrize(('arguments', 'message'), [
    (dict(camera=dict(fog=1)), 'camera: expected exposure, .* got fog'),
    (dict(layering=dict(shadow=1.5)), "layering: expected numbers from 0 to 1, got {'shadow': 1.5}"),
    (dict(backgrounds=dict(num=0)), 'num from 1 .* got num=0'),
    (dict(camera=dict(noise_level=(0, 0.1))), 'noise_level: expected two ascending numbers .* got .0, 0.1.'),
    (dict(camera=dict(jpeg_quality=(50, 20))), 'jpeg_quality: expected two ascending'),
    (dict(camera=dict(defocus=0.6, motion=0.5)), 'expected up to 1 in all'),
])  # fmt: skip
def test_wrong_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HandCompositor(**arguments)


def test_wrong_batches() -> None:
    with pytest.raises(ValueError, match='data_samples: in evaluation expected img_id'):
        compositor()(dict(inputs=layers(1), data_samples=[PoseDataSample()]))
    with pytest.raises(ValueError, match=r'got \[\(2, 8, 8\)\]'):
        compositor()(dict(inputs=[torch.zeros(2, 8, 8)], data_samples=[PoseDataSample()]), True)
    with pytest.raises(ValueError, match='of one size'):
        compositor()(batch([layers(1)[0], layers(1)[0][:, :8]]), True)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        compositor(backgrounds=dict(BANK, folder='nowhere'))(batch(layers(1)), True)


@pytest.mark.parametrize('part', ['soften', 'shadow', 'second_hand', 'occluder', 'gain', 'tint', 'bend', 'contrast',
                                  'match'])  # fmt: skip
def test_each_part_of_layering_does_something(part: str) -> None:
    images = {}
    for amount in (0.0, 1.0):
        torch.manual_seed(5)
        parts = torch.stack(layers(6)).float() / 255
        behind = torch.full((6, 3, SIZE, SIZE), 0.2)
        images[amount] = Layering(**dict(NO_LAYERING, **{part: amount}))(
            parts[:, :3], parts[:, 3:], behind, BatchRandom(6, None, CPU)
        )
    assert not torch.allclose(images[0.0], images[1.0], atol=0.02)
    plain = torch.lerp(torch.full_like(parts[:, :3], 0.2), parts[:, :3], parts[:, 3:])
    torch.testing.assert_close(images[0.0], plain)


@pytest.mark.parametrize('part', sorted(set(NO_CAMERA) - {'blur'}))
def test_each_part_of_the_camera_does_something(part: str) -> None:
    images = torch.rand(6, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    amount = dict(blur=0.1) | {part: 1.0}
    torch.manual_seed(5)
    result = CameraAugmentation(**dict(NO_CAMERA, **amount))(images.clone(), BatchRandom(6, None, CPU))
    assert (result - images).abs().mean() > 0.005
    torch.testing.assert_close(CameraAugmentation(**NO_CAMERA)(images.clone(), BatchRandom(6, None, CPU)), images)


def test_a_second_hand_leaves_the_centre_to_the_first() -> None:
    hand, alpha = torch.ones(40, 3, SIZE, SIZE), torch.stack(layers(40))[:, 3:].float() / 255
    behind = torch.zeros(40, 3, SIZE, SIZE)
    module = Layering(**dict(NO_LAYERING, second_hand=1.0))
    torch.manual_seed(0)
    result = module._add_second_hand(hand, alpha, behind, BatchRandom(40, None, CPU))
    covered = result[:, 0].mean((1, 2))
    assert (covered < 0.5 * alpha.mean()).all() and covered.max() > 0.02
    assert result[:, 0, SIZE // 2, SIZE // 2].mean() < 0.1


def test_channels_last_and_double_channels_of_a_batch_tensor() -> None:
    hands = torch.stack(layers(3))
    plain = compositor()(batch(list(hands)))['inputs']
    last = compositor()(dict(batch(list(hands)), inputs=hands.to(memory_format=torch.channels_last)))['inputs']
    torch.testing.assert_close(plain, last, atol=0.01, rtol=0)


def test_inferencer_works_with_photographs(tmp_path: Path) -> None:
    """MMPose's own door, with the config's test pipeline and a photograph of 3 channels."""
    config = tmp_path / 'tiny.py'
    config.write_text(CONFIG.replace("type='PoseDataPreprocessor'", "type='HandCompositor'"))
    init_default_scope('mmpose')
    cfg = Config.fromfile(config)
    model = build_pose_estimator(cfg.model).eval()
    assert isinstance(model.data_preprocessor, HandCompositor)
    model.cfg, model.dataset_meta = cfg, {}
    cfg.test_dataloader.dataset.data_mode = 'topdown'
    image = np.random.default_rng(0).integers(0, 255, (48, 80, 3), dtype=np.uint8)
    (result,) = inference_topdown(model, image, np.array([[0, 0, 40, 48]]))
    assert result.pred_instances.keypoints.shape == (1, 21, 2)


@pytest.mark.parametrize('training', [True, False])
def test_everything_moves_to_another_device(training: bool) -> None:
    """Most operations on PyTorch's device without memory refuse tensors of the CPU, as on a GPU."""
    layering = dict.fromkeys(('match', 'soften', 'shadow', 'second_hand', 'occluder'), 1.0)
    camera = dict(uneven=1.0, defocus=0.5, motion=0.5, low_resolution=1.0, jpeg=1.0)
    module = compositor(layering=layering, camera=camera)
    images = [p.to('meta') for p in (*layers(6), layers(1)[0][:3])]
    assert module._compose(images, None if training else list(range(7)), training).device.type == 'meta'
