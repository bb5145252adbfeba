_base_ = ['mmdet::_base_/default_runtime.py']

# The scope is MMDetection's; this package registers in MMPose's registries, so its classes are named with that scope.
custom_imports = dict(imports=['handkp_plugins'], allow_failed_imports=False)
runner_type = 'mmpose.HandRunner'

# Hooks are in default_hooks, a dictionary, because a leaf can change one of them by its name; None removes it.
default_hooks = dict(
    checkpoint=dict(interval=1, max_keep_ckpts=2, save_best='coco/bbox_mAP_50', rule='greater'),
    non_finite_loss=dict(type='mmpose.NonFiniteLossHook'),
    unreadable_images=dict(type='mmpose.UnreadableImageHook', max_share=0.01))
