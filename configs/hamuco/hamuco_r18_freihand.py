# FreiHAND's single images: to test a network of HanCo, or to train the single-view network on 2D labels.
_base_ = ['_base_/hamuco_256.py']

num_views = 1
sampler = dict(num_views=num_views)
model = dict(head=dict(cross_view=False))
dataset = dict(data_root='data/freihand/')
test_set = dict(dataset, ann_file='annotations/test.json', vertices_file='annotations/test_vertices.npy')
train_dataloader = dict(sampler=sampler, dataset=dataset)
val_dataloader = dict(sampler=sampler, dataset=test_set)
test_dataloader = dict(sampler=sampler, dataset=test_set)
val_evaluator = [dict(type='HandMeshMetric')]
test_evaluator = val_evaluator
