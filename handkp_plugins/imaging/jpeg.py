"""JPEG's loss without its files: quantised cosine transforms of 8×8 blocks, for a whole batch.

Torchvision has JPEG itself, but one image after another, in whole bytes, and with another result on a GPU.
"""

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor
from torch.nn import functional as F

# ITU-T T.81 (1992), annex K.1: steps of the quantisation at quality 50
_LUMINANCE = torch.tensor([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99]).view(8, 8)  # fmt: skip
_CHROMINANCE = torch.full((8, 8), 99)
_CHROMINANCE[:4, :4] = torch.tensor([[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]])
_FROM_BGR = torch.tensor([[0.114, 0.587, 0.299], [0.5, -0.331264, -0.168736], [-0.081312, -0.418688, 0.5]])
"""Luminance and the two chrominances of blue, green and red (JFIF 1.02)."""
_TO_BGR = torch.linalg.inv(_FROM_BGR)
_MIDDLE = 128 / 255
_COSINES = torch.from_numpy(dct(np.eye(8), axis=0, norm='ortho')).float()
"""The orthonormal transform (8, 8) of 8 pixels into 8 frequencies."""
_ALONG_BOTH = 'ui,ncrisj,vj->ncrusv'


def quantisation(quality: Tensor) -> Tensor:
    """Steps (n, 3, 8, 8) for colours in 0…1 and qualities (n,) from 1 to 100, as the IJG's library scales them.

    Colour has half the resolution of brightness: its upper frequencies get steps so large that they vanish.
    """
    scale = torch.where(quality < 50, 50 / quality, 2 - quality / 50)[:, None, None, None]
    luminance, chrominance = (table.float().to(quality.device) for table in (_LUMINANCE, _CHROMINANCE))
    steps = (scale * torch.stack([luminance, chrominance, chrominance])).clamp(min=1) / 255
    steps[:, 1:, 4:] = steps[:, 1:, :, 4:] = 1e4
    return steps


def jpeg_compress(images: Tensor, quality: Tensor) -> Tensor:
    """Compress images (n, 3, h, w), BGR 0…1, as JPEG of these qualities (n,) would, and decode them again."""
    n, _, h, w = images.shape
    device = images.device
    cosines = _COSINES.to(device)
    padded = F.pad(images, (0, -w % 8, 0, -h % 8), mode='replicate') if h % 8 or w % 8 else images
    blocks = n, 3, padded.shape[2] // 8, 8, padded.shape[3] // 8, 8
    colors = torch.matmul(_FROM_BGR.to(device), padded.flatten(2))  # (n, 3, h·w)
    colors[:, 0] -= _MIDDLE
    waves = torch.einsum(_ALONG_BOTH, cosines, colors.view(blocks), cosines)
    steps = quantisation(quality)[:, :, None, :, None]  # (n, 3, 1, 8, 1, 8)
    waves = waves.div_(steps).round_().mul_(steps)
    colors = torch.einsum(_ALONG_BOTH, cosines.T, waves, cosines.T).reshape(n, 3, -1)
    colors[:, 0] += _MIDDLE
    restored = torch.matmul(_TO_BGR.to(device), colors).view_as(padded)
    return restored[..., :h, :w].clamp_(0, 1)
