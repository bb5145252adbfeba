"""Averaging over rotations: exact ways back, of every kind of head, single and in batches."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.tiny_model import write_tiny_model
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.models import build_pose_estimator
from mmpose.structures import PoseDataSample
from mmpose.structures.bbox import get_warp_matrix
from torch import Tensor, nn

from handkp_plugins.apis.inference import init_model, predict, predict_each
from handkp_plugins.apis.rotation import rotated_pipeline, with_rotations
from handkp_plugins.models.tta import RotationTTA
from handkp_plugins.structures.rot90 import rot90_points

K = 3
POINTS = np.array([[[60.0, 40.0], [84.0, 70.0], [40.0, 90.0]]])
"""Keypoints in the image, each drawn in a colour of its own."""


class ColourFinder(nn.Module):
    """A head whose maps are the image's colours: it finds what is drawn, wherever and however turned it is."""

    def __init__(self, noise: float = 0.0, udp: bool = False) -> None:
        super().__init__()
        self.noise = noise
        self.udp = udp
        self.seen: list[Tensor] = []

    def test_step(self, batch: dict) -> list[PoseDataSample]:
        samples = []
        for image, sample in zip(batch['inputs'], batch['data_samples'], strict=True):
            self.seen.append(image)
            _, h, w = image.shape
            weights = image.flatten(1).double()  # (3, h w)
            at = torch.stack(torch.meshgrid(torch.arange(w), torch.arange(h), indexing='xy'), -1).flatten(0, 1)
            points = (weights @ at.double() / weights.sum(1, keepdim=True))[None].numpy()
            size, scale = np.asarray(sample.input_size), np.asarray(sample.input_scale)
            assert (w, h) == tuple(size)
            points = points / (size - 1) * size if self.udp else points  # as MMPose's UDPHeatmap
            found = points / size * scale + np.asarray(sample.input_center) - scale / 2  # as TopdownPoseEstimator
            sample.pred_instances = instances(found + self.noise * len(self.seen))
            samples.append(sample)
        return samples


def instances(points: np.ndarray) -> InstanceData:
    return InstanceData(keypoints=points, keypoint_scores=np.full(points.shape[:2], points.mean() % 1))


def drawn() -> np.ndarray:
    image = np.zeros((128, 160, 3), np.uint8)
    for k, (x, y) in enumerate(POINTS[0].astype(int)):
        image[y, x, k] = 255
    return cv2.GaussianBlur(image, (9, 9), 1.5)


def samples(input_size: tuple[int, int], box: list[float], num: int = 1, udp: bool = False) -> list[dict]:
    init_default_scope('mmpose')
    pipeline, use_udp = rotated_pipeline(
        [
            dict(type='GetBBoxCenterScale', padding=1.0),
            dict(type='TopdownAffine', input_size=input_size, use_udp=udp),
            dict(type='PackPoseInputs'),
        ]
    )
    assert use_udp is udp
    record = dict(img=drawn(), bbox=np.array([box], np.float32), bbox_score=np.ones(1), keypoints=POINTS)
    return [Compose(pipeline)(dict(record, img_id=i)) for i in range(num)]


@pytest.mark.parametrize('num', [1, 3])
def test_square_views_are_turned_pixels_and_agree_to_the_last_digit(num: int) -> None:
    box = [18.0, 21, 18 + 96, 21 + 96]
    model = ColourFinder()
    results = RotationTTA(model).test_step(pseudo_collate(samples((96, 96), box, num)))
    assert len(results) == num and len(model.seen) == 4 * num
    upright = model.seen[0].permute(1, 2, 0).numpy()
    for k in range(4):  # the views of all samples, one turn after the other
        np.testing.assert_array_equal(model.seen[k * num].permute(1, 2, 0).numpy(), np.rot90(upright, k))
    alone = ColourFinder().test_step(pseudo_collate([first_view(samples((96, 96), box)[0])]))
    for result in results:
        np.testing.assert_allclose(result.pred_instances.keypoints, alone[0].pred_instances.keypoints, atol=1e-9)
        np.testing.assert_allclose(result.pred_instances.keypoints, POINTS, atol=0.1)  # 8 bits a colour


def first_view(sample: dict) -> dict:
    return {key: value[0] for key, value in sample.items()}


@pytest.mark.parametrize('udp', [False, True])
@pytest.mark.parametrize('input_size', [(72, 96), (96, 64), (80, 80)])
def test_each_view_sees_the_whole_box_and_finds_the_same(input_size: tuple[int, int], udp: bool) -> None:
    box = [18.0, 21, 18 + 96, 21 + 90]
    (sample,) = samples(input_size, box, udp=udp)
    assert [tuple(i.shape) for i in sample['inputs']] == [(3, input_size[1], input_size[0])] * 4
    for view in range(4):
        model = ColourFinder(udp=udp)
        (one,) = model.test_step(pseudo_collate([{key: value[view] for key, value in sample.items()}]))
        found = RotationTTA(model, udp)._upright(one, view)
        np.testing.assert_allclose(found, POINTS, atol=0.15)


def test_keypoints_and_scores_are_averaged() -> None:
    (sample,) = samples((96, 96), [18.0, 21, 114, 117])
    model = ColourFinder(noise=1.0)  # view i is off by i in x and y of its own: of the image, (i, i) turned back
    (result,) = RotationTTA(model).test_step(pseudo_collate([sample]))
    off = result.pred_instances.keypoints - POINTS
    # 1 (1, 1), 2 (-1, 1), 3 (-1, -1), 4 (1, -1) by the turns back
    np.testing.assert_allclose(off, np.broadcast_to([(1 - 2 - 3 + 4) / 4, (1 + 2 - 3 - 4) / 4], off.shape), atol=0.1)
    np.testing.assert_array_equal(result.input_size, (96, 96))


def test_udp_turns_about_the_middle_of_the_box() -> None:
    (sample,) = samples((96, 96), [18.0, 21, 114, 117])
    tta, pixel_tta = RotationTTA(ColourFinder(), use_udp=True), RotationTTA(ColourFinder())
    view = sample['data_samples'][2]
    view.pred_instances = instances(POINTS)
    np.testing.assert_allclose(tta._upright(view, 2), 2 * view.input_center - POINTS)
    np.testing.assert_allclose(pixel_tta._upright(view, 2), 2 * view.input_center - 1 - POINTS)  # a pixel is 1 px
    first = sample['data_samples'][0].input_center - 48
    np.testing.assert_allclose(pixel_tta._upright(view, 2) - first, rot90_points(POINTS - first, 2, (96, 96)))


@pytest.fixture(scope='module')
def network(tmp_path_factory: pytest.TempPathFactory) -> nn.Module:
    return init_model(*write_tiny_model(tmp_path_factory.mktemp('tiny')), device='cpu', output_heatmaps=True)


def test_a_network_of_maps_single_and_in_batches(network: nn.Module) -> None:
    image = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    boxes = np.array([[10, 10, 80, 70], [30, 5, 100, 85.0]])
    model = with_rotations(network)
    together, plain = predict(model, image, boxes), predict(network, image, boxes)
    for i, box in enumerate(boxes):
        (alone,) = predict(model, image, box[None])
        np.testing.assert_allclose(alone['keypoints'], together[i]['keypoints'], atol=0.01)
        np.testing.assert_array_equal(together[i]['heatmap'], plain[i]['heatmap'])  # of the upright view
        assert np.abs(alone['keypoints'] - plain[i]['keypoints']).max() > 1
        views = []
        for k in range(4):  # by hand: turn the crop, predict, turn back
            crop, matrix = crop_of(image, box, network)
            (seen,) = predict(network, np.ascontiguousarray(np.rot90(crop, k)), inner_box())
            views.append(rot90_points(seen['keypoints'], -k, (64, 64)))
        expected = cv2.transform(np.mean(views, 0)[None], cv2.invertAffineTransform(matrix))[0]
        np.testing.assert_allclose(alone['keypoints'], expected, atol=0.05)
    points, _ = predict_each(model, [image, image], boxes)
    np.testing.assert_allclose(points, [r['keypoints'] for r in together], atol=0.01)


def crop_of(image: np.ndarray, box: np.ndarray, model: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    side = 1.25 * (box[2:] - box[:2]).max()
    matrix = get_warp_matrix((box[:2] + box[2:]) / 2, np.array([side, side]), 0.0, (64, 64))
    return cv2.warpAffine(image, matrix, (64, 64), flags=cv2.INTER_LINEAR), matrix


def inner_box() -> np.ndarray:
    """The box whose crop, padded by 1.25, is a picture of 64×64 itself."""
    return np.array([[6.4, 6.4, 57.6, 57.6]])


def test_a_network_of_coordinates(tmp_path: Path) -> None:
    init_default_scope('mmpose')
    torch.manual_seed(0)
    module = build_pose_estimator(
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=dict(type='PoseDataPreprocessor'),
            backbone=dict(type='MobileNetV2', widen_factor=0.1, out_indices=(2,)),
            head=dict(
                type='AmpRegressionHead',
                in_channels=8 * 12 * 12,
                num_joints=K,
                decoder=dict(type='RegressionLabel', input_size=(96, 96)),
            ),
        )
    ).eval()
    torch.nn.init.normal_(module.head.fc.weight, std=0.01)
    batch = pseudo_collate(samples((96, 96), [18.0, 21, 114, 117], 2))
    first, second = RotationTTA(module).test_step(batch)
    np.testing.assert_allclose(first.pred_instances.keypoints, second.pred_instances.keypoints, atol=1e-4)
    upright = module.test_step({key: value[0] for key, value in batch.items()})[0].pred_instances
    assert np.abs(first.pred_instances.keypoints - upright.keypoints).max() > 0.01
    assert (first.pred_instances.keypoint_scores == 1).all()


def test_pipelines_that_cannot_be_turned() -> None:
    with pytest.raises(ValueError, match=r"one TopdownAffine, got \['LoadImage'\]"):
        rotated_pipeline([dict(type='LoadImage')])
