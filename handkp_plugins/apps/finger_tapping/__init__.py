"""Finger tapping: taps of thumb and index finger measured from keypoints over time."""
