# The small HTT with windows of t = 1 frame in block P
_base_ = ['htt_small_generated-96x72.py']

window = 1
model = dict(head=dict(window=window))
