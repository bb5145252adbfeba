"""Joint angles fitted to recorded keypoints."""
