"""HTT on a stream: at the end of a video the results are those of a test on the whole."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.mini_clips import CAMERA, SIZE, clip_records, write_clips
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS

from handkp_plugins.apis.clip_stream import ClipStream, StreamedFrame
from handkp_plugins.evaluation.metrics import ClipActionMetric
from handkp_plugins.models.pose_estimators import HTT

TIMES = dict(clip_length=6, spacing=2)
CODEC = dict(type='PixelDepthLabel', input_size=SIZE)


def build(window: int = 4) -> HTT:
    torch.manual_seed(0)
    init_default_scope('mmpose')
    sizes = dict(embed_dims=64, num_heads=2, feedforward_channels=32)
    model = MODELS.build(
        dict(
            type='HTT',
            data_preprocessor=dict(type='ClipDataPreprocessor'),
            backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8, norm_eval=True),
            neck=dict(type='GlobalAveragePooling'),
            head=dict(
                type='HTTHead', num_joints=21, num_objects=2, num_actions=3, window=window, decoder=CODEC, **sizes
            ),
        )
    )
    model.init_weights()
    return model.eval()


@pytest.mark.parametrize('length', [1, 5, 12, 17, 29])
def test_streamed_is_offline(length: int, tmp_path: Path) -> None:
    """T = 6, t = 4, s = 2: a clip has a window of four frames and one of two, a video up to three clips of a phase."""
    model = build()
    rng = np.random.default_rng(length)
    write_clips(tmp_path, clip_records((length,)), pictures=True)
    images = [rng.integers(0, 256, (*SIZE[::-1], 3), dtype=np.uint8) for _ in range(length)]
    for i, image in enumerate(images):
        cv2.imwrite(str(tmp_path / '0' / f'{i}.png'), image)
    pipeline = [dict(type='LoadHandClip'), dict(type='ResizeClip', size=SIZE), dict(type='PackHandInputs')]
    dataset = DATASETS.build(
        dict(
            type='HandClipDataset', data_root=str(tmp_path), ann_file='ann.json', window=4, test_mode=True,
            pipeline=pipeline, **TIMES)
    )  # fmt: skip
    samples = [model.test_step(pseudo_collate([dataset[i]]))[0] for i in range(len(dataset))]
    offline = {
        int(frame): (found.keypoints[i], found.keypoints_3d[i], found.object_scores[i])
        for sample in samples
        for found in [sample.pred_instances]
        for i, frame in enumerate(sample.frame_id)
        if sample.frame_valid[i]
    }
    stream, latest = ClipStream(model, np.array(CAMERA), **TIMES), {}
    for image in images:
        latest |= {found.frame: found for found in stream.push(image)}
    assert sorted(latest) == sorted(offline) == list(range(length))
    for frame, expected in offline.items():
        found = latest[frame]
        for ours, theirs in zip((found.keypoints, found.keypoints_3d, found.object_scores), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
    total = np.sum([sample.pred_action_scores for sample in samples], 0)
    np.testing.assert_allclose(stream.action_scores, total / total.sum(), atol=1e-4)
    metric = ClipActionMetric()
    metric.process({}, [sample.to_dict() for sample in samples])
    scores = metric.compute_metrics(metric.results)
    assert scores['action_accuracy'] == float(stream.action_scores.argmax() == samples[0].action)


def test_frames_are_final_when_their_window_is_full() -> None:
    """Phases alternate: the first window of four, 0, 2, 4, 6, is full with frame 6, the clip of six with frame 10."""
    stream = ClipStream(build(), np.array(CAMERA), **TIMES)
    image = np.zeros((*SIZE[::-1], 3), np.uint8)
    pushed: list[list[StreamedFrame]] = [stream.push(image) for _ in range(13)]
    assert [[found.frame for found in frames] for frames in pushed[6:]] == [
        [0, 2, 4, 6], [1, 3, 5, 7], [8], [9], [8, 10], [9, 11], [12]]  # fmt: skip
    assert [frames[0].final for frames in pushed] == [False] * 6 + [True] * 2 + [False] * 2 + [True] * 2 + [False]


def test_the_backbone_sees_each_frame_once() -> None:
    model, seen = build(), []
    model.backbone.register_forward_hook(lambda module, inputs, output: seen.append(len(inputs[0])))
    stream = ClipStream(model, np.array(CAMERA), **TIMES)
    for _ in range(9):
        stream.push(np.zeros((*SIZE[::-1], 3), np.uint8))
    assert seen == [1] * 9 and stream.action_scores.sum() == pytest.approx(1)


def test_images_of_another_size() -> None:
    """Twice the size and a camera of twice the size: the same points, and twice the pixels."""
    image = np.full((*SIZE[::-1], 3), 90, np.uint8)
    model = build()
    small = ClipStream(model, np.array(CAMERA), **TIMES).push(image)[0]
    large = ClipStream(model, np.array(CAMERA) * [[2], [2], [1]], **TIMES).push(image.repeat(2, 0).repeat(2, 1))[0]
    np.testing.assert_allclose(large.keypoints_3d, small.keypoints_3d, atol=1e-6)
    np.testing.assert_allclose(large.keypoints, 2 * small.keypoints, atol=1e-3)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(camera=np.ones(4)), r'camera: expected intrinsics of shape \(3, 3\), got shape \(4,\)'),
        (dict(clip_length=3), 'clip_length: expected 4 or more, the window, got 3'),
        (dict(spacing=0), 'spacing: expected an integer from 1, got 0'),
    ],
)
def test_bad_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClipStream(build(), **dict(TIMES, camera=np.array(CAMERA)) | arguments)


def test_bad_image() -> None:
    stream = ClipStream(build(), np.array(CAMERA), **TIMES)
    assert np.isnan(stream.action_scores).all()
    with pytest.raises(ValueError, match=r'image: expected a uint8 array \[H, W, 3\]'):
        stream.push(np.zeros((9, 16), np.uint8))
