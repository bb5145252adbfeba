"""Checks of annotation files before training and testing."""
