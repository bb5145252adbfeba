"""The words that all rooms share: 21 keypoints and their orders, boxes, crops, checks of images. NumPy only."""
