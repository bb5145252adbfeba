"""Meshes, light and camera to pixels."""
