"""The folder of a training: check that it can be written to, and find its checkpoints."""

import os
import re
import tempfile
from pathlib import Path

from handkp_plugins.fileio.atomic import write_failure


def find_checkpoints(work_dir: str) -> list[str]:
    """List the checkpoints to resume from: first the one that ``last_checkpoint`` names, then the newest.

    If some count epochs and some iterations, the kind that was written last comes first. Within a kind the number
    decides, because the files of a copied folder have any time.
    """
    pointer = Path(work_dir, 'last_checkpoint')
    named = Path(pointer.read_text().strip() if pointer.is_file() else '')
    # The checkpoint hook may use another folder (out_dir); a copied work dir still names the old place.
    for folder in (Path(work_dir), named.parent):
        files = [f for f in folder.glob('*.pth') if re.fullmatch(r'(epoch|iter)_\d+', f.stem)]
        if files or not named.name:
            break

    last_of_kind: dict[str, int] = {}
    for file in files:
        kind = file.stem.split('_')[0]
        last_of_kind[kind] = max(last_of_kind.get(kind, 0), file.stat().st_mtime_ns)

    def newest_first(file: Path) -> tuple[bool, int, int]:
        kind, number = file.stem.split('_')
        return file.name == named.name, last_of_kind[kind], int(number)

    return [str(f) for f in sorted(files, key=newest_first, reverse=True)]


def check_writable(folder: str, what: str = 'work dir', option: str = '--work-dir') -> None:
    """Make ``folder`` and write a test file; an OSError says ``what`` folder it is, and which ``option`` chooses it."""
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as f:
            f.write(bytes(1 << 16))
            f.flush()
            os.fsync(f.fileno())
    except OSError as e:
        reason = f'cannot write to the {what}: {write_failure(folder, e)}; choose another by {option}'
        raise type(e)(e.errno, reason, folder) from e
