"""A window that shows pictures as they come."""

import os
import sys

import cv2
import numpy as np


class Window:
    """An OpenCV window.

    Raises:
        ValueError: no display is there.
    """

    def __init__(self, title: str) -> None:
        # OpenCV ends the whole program where it finds none
        if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
            raise ValueError('--show: expected a display, but DISPLAY is not set; without --show all goes to files')
        self.title = title
        cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE)

    def show(self, picture: np.ndarray) -> bool:
        """Show a picture; False where the user has pressed q or closed the window."""
        cv2.imshow(self.title, picture)
        pressed = cv2.waitKey(1) & 0xFF
        return pressed != ord('q') and cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Close it."""
        cv2.destroyAllWindows()
