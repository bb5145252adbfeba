_base_ = ['hamuco_small_generated-128.py']

model = dict(head=dict(extrinsics=False))
