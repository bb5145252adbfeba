"""Scores as plain NumPy functions, in pixels."""
