"""A hand in space from the keypoints of calibrated videos."""
