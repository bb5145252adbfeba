"""A file backend of MMEngine that opens images in shards and videos."""

import cv2
from mmengine import fileio
from mmengine.fileio import LocalBackend, register_backend

from handkp_plugins.fileio.images import is_image_address, read_image


class ShardBackend(LocalBackend):
    """Reads local files, members of shards (laid over grey) and frames of videos; the last two as PNG.

    For code that reads images by ``mmengine.fileio``, such as MMPose's visualization hook:
    ``backend_args=dict(backend='hand_shards')``.
    """

    def get(self, filepath: str) -> bytes:
        """Return the bytes of a file, or of an image inside a shard or video; ValueError if it cannot be decoded."""
        if not is_image_address(str(filepath)):
            return fileio.get(filepath)  # its prefix names the backend
        return cv2.imencode('.png', read_image(filepath))[1].tobytes()


register_backend('hand_shards', ShardBackend)
