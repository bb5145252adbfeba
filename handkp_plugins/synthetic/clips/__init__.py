"""Hands that move: clips of gestures, letters and finger tapping."""
