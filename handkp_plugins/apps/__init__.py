"""What people do with keypoints: the demo, finger tapping, the web page, triangulation."""
