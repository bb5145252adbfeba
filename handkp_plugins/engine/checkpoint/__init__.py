"""Read checkpoints safely, fit their weights into networks, and keep the weights that ship with the package."""
