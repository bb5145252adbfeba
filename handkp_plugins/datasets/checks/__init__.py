"""Checks of annotation files before anything is trained on them."""
