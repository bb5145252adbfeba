# MSAHP's PoseEstimationNet on the Stereo Hand Pose Tracking Benchmark. It has no validation set: the best checkpoint is
# chosen on test images, so report the last one.
_base_ = ['../_base_/schedules/adam_steps.py', '../_base_/datasets/hand_stb.py', '_base_/msahp_256.py']

batch_size = 24

train_dataloader = dict(
    batch_size=batch_size,
    sampler=dict(_delete_=True, type='FixedEpochSampler', samples_per_epoch=2000 * batch_size),
    dataset=dict(pipeline={{_base_.train_pipeline}}))
val_dataloader = dict(dataset=dict(pipeline={{_base_.val_pipeline}}))
test_dataloader = dict(dataset=dict(pipeline={{_base_.val_pipeline}}))

# The four thresholds of Table 2
val_evaluator = [
    *(dict(type='PCKAccuracy', thr=thr, prefix=f'{thr}') for thr in (0.15, 0.2, 0.25, 0.3)),
    *_base_.val_evaluator[1:],
]
test_evaluator = val_evaluator
