# GestureNet without the mean over x and y, which leaves directions unknown
_base_ = ['gesturenet_keypoints.py']

model = dict(mean_of_coordinates=False)
