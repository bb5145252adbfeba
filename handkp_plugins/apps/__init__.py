"""What people do with keypoints: measuring finger tapping."""
