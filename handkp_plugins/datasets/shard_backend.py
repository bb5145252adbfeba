"""Lets MMEngine's file functions open pictures that lie in shards or videos."""

import cv2
from mmengine import fileio
from mmengine.fileio import LocalBackend, register_backend

from handkp_plugins.fileio.images import is_address, read_image


class ShardBackend(LocalBackend):
    """Files of this machine; pictures of generated layers, laid over grey, and frames of videos as PNG.

    For what reads pictures by ``mmengine.fileio``, as MMPose's visualization hook does:
    ``backend_args=dict(backend='hand_shards')``.
    """

    def get(self, filepath: str) -> bytes:
        """The bytes of a file, or of a picture at the address of a shard's member or a video's frame.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        if not is_address(str(filepath)):
            return fileio.get(filepath)  # from wherever its prefix says
        return cv2.imencode('.png', read_image(filepath))[1].tobytes()


register_backend('hand_shards', ShardBackend)
