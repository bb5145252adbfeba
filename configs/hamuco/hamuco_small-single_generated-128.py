# The small single-view network alone, trained by L_2D and L_p on the same images and steps.
_base_ = ['hamuco_small_generated-128.py']

model = dict(head=dict(cross_view=False))
val_evaluator = [dict(type='HandMeshMetric')]
test_evaluator = val_evaluator
