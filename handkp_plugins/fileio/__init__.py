"""Files in and out: whole-or-nothing writing, images, shards, videos, COCO files and tables of keypoints."""
