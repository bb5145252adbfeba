_base_ = ['hamuco_r18_hanco.py']

model = dict(head=dict(loss=dict(distillation=0)))
