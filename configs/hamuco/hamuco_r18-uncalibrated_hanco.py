# Without the cameras' places: views are aligned by Procrustes.
_base_ = ['hamuco_r18_hanco.py']

model = dict(head=dict(extrinsics=False))
