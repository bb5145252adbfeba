"""Scores: plain functions, and MMEngine metrics that wrap them."""

from .metrics import *  # noqa: F403
