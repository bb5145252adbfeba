# Rendered hands with alpha (tools/make_synthetic.py --layers). HandCompositor adds a new background and camera effects
# on the device each time. A leaf uses `compositor` as its model's data_preprocessor, and completes `augmentation` and
# `loading` with the steps that depend on its codec.
_base_ = ['hand_loaders.py']

dataset_type = 'SyntheticHandDataset'  # MMPose's inferencer reads this
data_root = 'data/synthetic/layers/'
samples_per_epoch = 16384

# A folder of photographs: --cfg-options model.data_preprocessor.backgrounds.folder=data/backgrounds
compositor = dict(
    type='HandCompositor',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True,
    backgrounds=dict(folder=None, photographs=0.7, num=1024, size=160, mix=0.25))

scale_factor = (0.75, 1.4)  # 1.4: a hand that is small in its box, as when the box includes half an arm
augmentation = [
    dict(type='LoadHandImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip'),
    dict(  # mostly upright within 30°, else any rotation
        type='RandomChoice',
        prob=[0.75, 0.25],
        transforms=[
            [dict(type='RandomBBoxTransform', scale_factor=scale_factor, rotate_factor=30, rotate_prob=1.0)],
            [dict(type='RandomBBoxTransform', scale_factor=scale_factor, rotate_factor=180, rotate_prob=1.0)],
        ]),
]
loading = [
    dict(type='LoadHandImage', strict=True),
    dict(type='GetBBoxCenterScale', padding=1.25),
]

train_dataloader = dict(
    sampler=dict(_delete_=True, type='FixedEpochSampler', samples_per_epoch=samples_per_epoch),
    dataset=dict(type=dataset_type, data_root=data_root))
val_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
test_dataloader = dict(dataset=dict(type=dataset_type, data_root=data_root))
