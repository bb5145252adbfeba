# GestureNet without the mean over x and y, which loses directions
_base_ = ['gesturenet_keypoints.py']

model = dict(mean_of_coordinates=False)
