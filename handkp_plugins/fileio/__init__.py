"""Reading and writing of files: images, shards, videos, COCO files and tables of keypoints."""
