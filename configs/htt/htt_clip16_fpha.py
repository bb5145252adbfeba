# HTT with clips of T = 16 frames: the paper's ablation
_base_ = ['htt_fpha.py']

clip_length = 16
train_dataloader = dict(dataset=dict(clip_length=clip_length))
val_dataloader = dict(dataset=dict(clip_length=clip_length))
test_dataloader = dict(dataset=dict(clip_length=clip_length))
