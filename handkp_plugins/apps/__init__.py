"""What people do with keypoints: following hands through a video, smoothing, measuring finger tapping."""
