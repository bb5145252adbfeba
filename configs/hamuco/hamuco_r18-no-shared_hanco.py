# Without VSF, the features that all views share.
_base_ = ['hamuco_r18_hanco.py']

model = dict(head=dict(shared=False))
