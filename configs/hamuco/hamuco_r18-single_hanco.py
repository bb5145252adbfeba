# The single-view network alone, trained by L_2D and L_p.
_base_ = ['hamuco_r18_hanco.py']

model = dict(head=dict(cross_view=False))
val_evaluator = [dict(type='HandMeshMetric')]
test_evaluator = val_evaluator
