"""Scores: plain functions, and MMEngine metrics over them."""

from .metrics import *  # noqa: F403
