_base_ = ['mmpose::_base_/default_runtime.py']

custom_imports = dict(imports=['handkp_plugins'], allow_failed_imports=False)
runner_type = 'HandRunner'
visualizer = dict(type='HandVisualizer')

# A dictionary merges where a list (custom_hooks) would replace: a leaf changes one hook by its name, None removes it.
# Two checkpoints stay on disk: should the newest be cut short, --resume takes the one before it.
default_hooks = dict(
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    non_finite_loss=dict(type='NonFiniteLossHook'),
    unreadable_images=dict(type='UnreadableImageHook', max_share=0.01),
    visualization=dict(backend_args=dict(backend='hand_shards')),  # opens pictures in shards, too
)
