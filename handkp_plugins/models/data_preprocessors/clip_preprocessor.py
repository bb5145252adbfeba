"""Clips of uint8 frames as one batch on the device."""

import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS


@MODELS.register_module()
class ClipDataPreprocessor(BaseDataPreprocessor):
    """Stack clips and normalise their images: RGB / 255 − 0.5 (HTT's code). MMPose's preprocessor takes only images.

    Each clip has only its valid frames. It is padded with zeros (mid-grey) to the length of ``frame_valid`` in the meta
    information of its sample.

    Args:
        bgr_to_rgb: Convert BGR to RGB.
        non_blocking: As in ``BaseDataPreprocessor``.
    """

    def __init__(self, bgr_to_rgb: bool = True, non_blocking: bool = False) -> None:
        super().__init__(non_blocking)
        self.bgr_to_rgb = bgr_to_rgb

    def forward(self, data: dict, training: bool = False) -> dict:
        """``inputs``, a list of uint8 clips (V, 3, H, W) of V valid frames → float32 (B, T, 3, H, W)."""
        data = self.cast_data(data)
        clips, samples = data['inputs'], data['data_samples']
        sizes = {tuple(clip.shape[1:]) for clip in clips}
        lengths = {len(sample.frame_valid) for sample in samples}
        if len(sizes) > 1 or len(lengths) > 1:
            raise ValueError(
                f'inputs: expected clips of one size and length, got {sorted(sizes)} and {sorted(lengths)}'
            )
        inputs = torch.zeros(len(clips), *lengths, *sizes.pop(), device=clips[0].device)
        for row, clip, sample in zip(inputs, clips, samples, strict=True):
            images = clip.flip(1) if self.bgr_to_rgb else clip
            where = torch.as_tensor(sample.frame_valid).nonzero()[:, 0]
            if len(where) != len(images):
                raise ValueError(f'inputs: expected {len(where)} frames, those that are valid, got {len(images)}')
            row[where.to(row.device)] = images.float() / 255 - 0.5
        return dict(data, inputs=inputs)
