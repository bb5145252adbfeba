# HTT with windows of t = 1 frames in block P: the paper's ablation
_base_ = ['htt_fpha.py']

window = 1
model = dict(head=dict(window=window))
train_dataloader = dict(dataset=dict(window=window))
