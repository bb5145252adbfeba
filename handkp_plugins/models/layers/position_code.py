"""Codes of 2D positions for a Transformer."""

import torch
import torch.nn.functional as F
from mmpose.models.heads.transformer_heads import PositionEmbeddingSineHW
from torch import Tensor, nn

KINDS = ('sine', 'learned', 'none')


class PositionCode(nn.Module):
    """Code of each position of a map of any size.

    - ``'sine'``: fixed sines and cosines of x and y; every map spans one period of the slowest one (Carion et al.,
      2020, appendix A.4; MMPose's ``PositionEmbeddingSineHW``). The latest code is cached.
    - ``'learned'``: a vector for each cell of a grid, resized bilinearly to the map.
    - ``'none'``: no code.

    Letters: B batch, d (``embed_dims``) channels, a multiple of 4 for ``'sine'``; h and w the map's size. ``grid_size``
    is [W, H] of the learned grid.
    """

    def __init__(self, kind: str, embed_dims: int, grid_size: tuple[int, int] = (24, 32)) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f'position: expected {KINDS}, got {kind!r}')
        if kind == 'sine' and embed_dims % 4:
            raise ValueError(f'embed_dims: expected a multiple of 4 with sine codes, got {embed_dims}')
        if len(grid_size) != 2 or min(grid_size) < 1:
            raise ValueError(f'grid_size: expected [W, H] of two positive integers, got {grid_size}')
        self.kind = kind
        if kind == 'sine':
            self.sine = PositionEmbeddingSineHW(embed_dims // 2, normalize=True)
            self._latest: tuple[tuple, Tensor | None] = ((), None)
        elif kind == 'learned':
            self.grid = nn.Parameter(torch.empty(1, embed_dims, *grid_size[::-1]))
            nn.init.trunc_normal_(self.grid, std=0.02)

    def forward(self, maps: Tensor) -> Tensor | None:
        """Maps (B, d, h, w) → code (1, h·w, d), row by row, with their type and device; None for ``'none'``."""
        if self.kind == 'none':
            return None
        if self.kind == 'sine':
            return self._sine_code(maps)
        code = F.interpolate(self.grid, size=maps.shape[2:], mode='bilinear', align_corners=False)
        return code.flatten(2).transpose(1, 2).to(maps.dtype)

    def _sine_code(self, maps: Tensor) -> Tensor:
        """Return the cached code if it has the right size: making it takes longer than adding it."""
        key = (maps.shape[2:], maps.device, maps.dtype)
        if self._latest[0] != key:
            with torch.no_grad(), torch.inference_mode(False):
                no_mask = torch.zeros(1, *maps.shape[2:], dtype=torch.bool, device=maps.device)
                code = self.sine(no_mask).flatten(2).transpose(1, 2)  # (1, h·w, d)
                self._latest = (key, code.to(maps.dtype).contiguous())
        return self._latest[1]
