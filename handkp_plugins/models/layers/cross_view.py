"""HaMuCo's cross-view network: features of joints of several views → a hand in each view."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .graph_conv import GraphBlock


class JointFeatures(nn.Module):
    """Features of each joint, from feature maps and a first estimate of the hand (HaMuCo, VSGFE; its code).

    - G¹: an MLP embeds the estimated keypoints and the rotations of the fingers;
    - G²: a 1×1 convolution gives each joint channels of the last map, with all their positions;
    - G³: the other maps at the joint's projection. It is 0 outside the image.

    Letters: N images, J joints, C channels, S size of the input.

    Args:
        in_channels: C of the maps, at strides 4, 8, 16 and 32.
        input_size: S.
        num_joints: J.
        location_dims: Length of what :meth:`forward` takes as ``locations``.
        embed_dims: Channels of G¹.
        joint_channels: Channels of the last map for each joint.
    """

    def __init__(
        self,
        in_channels: tuple[int, ...],
        input_size: int,
        num_joints: int = 21,
        location_dims: int = 153,
        embed_dims: int = 64,
        joint_channels: int = 8,
    ) -> None:
        super().__init__()
        self.input_size, self.num_joints = input_size, num_joints
        *lower, last = in_channels
        self.channels = embed_dims + joint_channels * (input_size // 32) ** 2 + sum(lower)
        self.spatial = nn.Sequential(nn.Conv2d(last, joint_channels * num_joints, 1), nn.LeakyReLU())
        width = embed_dims * num_joints
        self.location = nn.Sequential(nn.Linear(location_dims, width), nn.LeakyReLU(), nn.Linear(width, width))

    def forward(self, maps: tuple[Tensor, ...], places: Tensor, locations: Tensor) -> Tensor:
        """Compute the features.

        Args:
            maps: (N, C, h, w) at strides 4, 8, 16 and 32.
            places: û of the joints, (N, J, 2), −1 to 1 in the image. They get no gradient.
            locations: (N, location_dims).

        Returns:
            (N, J, channels).
        """
        embedded = self.location(locations).unflatten(1, (self.num_joints, -1))
        spatial = self.spatial(maps[-1]).flatten(1).unflatten(1, (self.num_joints, -1))
        # a pixel's number is the place of its centre, half a pixel from its border
        grid = (places.detach() + 1 / self.input_size)[:, :, None].to(maps[0])  # (N, J, 1, 2)
        local = [F.grid_sample(m, grid, align_corners=False)[..., 0].mT for m in maps[:-1]]  # (N, J, C) each
        return torch.cat([embedded, spatial, *local], -1)


class CrossViewNet(nn.Module):
    """Two rounds of attention over all views and of features that all views share (HaMuCo, DCVI; its code)::

        G ← CVA(G) + max over views of F_a(G)

    CVA is a pre-norm Transformer layer over the V·J tokens of a frame, without any code of view or joint, and F_a a
    block of graph convolutions on each view. At the end one regressor serves all views.

    Letters: B frames, V views, J joints, F channels.

    Args:
        channels: F.
        out_channels: Numbers that describe a hand.
        num_joints: J.
        attention: Whether there is CVA; without it G stays as it is there.
        shared: Whether there are features that all views share.
        num_rounds: Rounds, each with its own weights.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        num_joints: int = 21,
        attention: bool = True,
        shared: bool = True,
        num_rounds: int = 2,
    ) -> None:
        super().__init__()
        layer = dict(nhead=4, dim_feedforward=channels, dropout=0.0, layer_norm_eps=1e-6)
        self.attention = nn.ModuleList(
            nn.TransformerEncoderLayer(channels, **layer, batch_first=True, norm_first=True)
            for _ in range(num_rounds * attention)
        )
        self.shared = nn.ModuleList(GraphBlock(channels, channels, num_joints) for _ in range(num_rounds * shared))
        width = 32 * num_joints
        self.regressor = nn.Sequential(
            GraphBlock(channels, 32, num_joints),
            nn.Flatten(),
            nn.Linear(width, width),
            nn.LeakyReLU(),
            nn.Linear(width, out_channels),
        )
        self.num_rounds = num_rounds

    def forward(self, features: Tensor) -> Tensor:
        """G, (B, V, J, F) → (B, V, out_channels)."""
        batch, views = features.shape[:2]
        for i in range(self.num_rounds):
            before = features
            if self.attention:
                features = self.attention[i](before.flatten(1, 2)).unflatten(1, (views, -1))
            if self.shared:
                own = self.shared[i](before.flatten(0, 1)).unflatten(0, (batch, views))
                features = features + own.amax(1, keepdim=True)
        return self.regressor(features.flatten(0, 1)).unflatten(0, (batch, views))
