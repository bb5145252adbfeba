"""From an image to results: keypoints, boxes, gestures, attention."""
