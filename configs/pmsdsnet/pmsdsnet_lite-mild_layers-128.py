# The end of a training of the lite network, with weaker camera effects and less rotation: resume a training of
# pmsdsnet_lite_layers-128.py with this config after about two thirds of its epochs.
_base_ = ['pmsdsnet_lite_layers-128.py']

model = dict(
    data_preprocessor=dict(
        layering=dict(second_hand=0.1, occluder=0.08),
        camera=dict(
            hard_contrast=0.04,
            defocus=0.15,
            motion=0.06,
            low_resolution=0.1,
            noise=0.35,
            noise_level=(0.004, 0.03),
            jpeg=0.2,
            jpeg_quality=(25, 85))))

scale_factor = (0.8, 1.3)
train_pipeline = [
    *_base_.augmentation[:-1],
    dict(
        type='RandomChoice',
        prob=[0.85, 0.15],
        transforms=[
            [dict(type='RandomBBoxTransform', scale_factor=scale_factor, rotate_factor=30, rotate_prob=1.0)],
            [dict(type='RandomBBoxTransform', scale_factor=scale_factor, rotate_factor=180, rotate_prob=1.0)],
        ]),
    *_base_.train_pipeline[-3:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
