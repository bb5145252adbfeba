"""Differentiable hand meshes: rotations of bones and a shape → vertices and keypoints."""

from .hand_layer import HandLayer

__all__ = ['HandLayer']
