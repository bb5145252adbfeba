# The small network fine-tuned on 50 labelled frames of fingerspelling; an epoch has 500 augmented images of them
_base_ = ['msahp_small-128_synthetic.py']

labelled = 50
epochs = 10
load_from = 'work_dirs/msahp_small-128_synthetic/epoch_5.pth'
dataset = dict(type='HandVideoDataset', data_root='data/fingerspelling/')

train_dataloader = dict(sampler=dict(samples_per_epoch=500), dataset=dict(dataset, spread=labelled))
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
dataset_type = dataset['type']  # MMPose's inferencer reads this
data_root = dataset['data_root']

train_cfg = dict(max_epochs=epochs, val_interval=epochs)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
