"""Errors whose message tells the user all: tools print them without a traceback."""


class HandkpError(RuntimeError):
    """The work cannot go on, and the message says why. A wrong argument or file raises ValueError or OSError."""


class CheckpointError(HandkpError):
    """A checkpoint is of another network, lacks what is needed, or is broken."""


class BrokenCheckpointError(CheckpointError):
    """The file is not a whole checkpoint, or holds objects that a checkpoint may not hold."""
