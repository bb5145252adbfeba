"""Checkpoints and weights: reading them safely, where they are, those that ship with the package, their cards."""
