"""Folders of the project."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGS, TOOLS = ROOT / 'configs', ROOT / 'tools'
