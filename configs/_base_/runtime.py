_base_ = ['mmpose::_base_/default_runtime.py']

custom_imports = dict(imports=['handkp_plugins'], allow_failed_imports=False)
runner_type = 'HandRunner'
visualizer = dict(type='HandVisualizer')

# Hooks are in default_hooks, a dictionary, because a leaf can change one of them by its name; None removes it. A list
# (custom_hooks) would be replaced as a whole. Two checkpoints are kept: if the newest is truncated, --resume uses the
# other.
default_hooks = dict(
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    non_finite_loss=dict(type='NonFiniteLossHook'),
    unreadable_images=dict(type='UnreadableImageHook', max_share=0.01),
    visualization=dict(backend_args=dict(backend='hand_shards')),  # also opens images in shards
)
