"""Kept for tools that ask for it; everything is stated in pyproject.toml."""

from setuptools import setup

setup()
