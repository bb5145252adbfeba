_base_ = ['hamuco_r18_hanco.py']

num_views = 1
train_dataloader = dict(sampler=dict(num_views=num_views))
val_dataloader = dict(sampler=dict(num_views=num_views))
test_dataloader = dict(sampler=dict(num_views=num_views))
