"""How a tool ends: errors of use in one line, faults with their traceback."""

import dis
import logging
import os
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import distributed
from torch.distributed.elastic.multiprocessing.errors import record

from handkp_plugins.engine.checkpoint.reading import CheckpointError

# What gloo, NCCL and the store say of a process that is gone.
_PEER_GONE = re.compile(r'connection (was )?(closed|reset) by (remote )?peer|broken pipe|remote process exited', re.I)


def run_tool(main: Callable[[], Any], stopped: str = 'stopped', also: tuple[type[Exception], ...] = ()) -> None:
    """Run a tool's ``main``; for errors of use print one line to stderr and exit with status 1.

    Such are ValueError, OSError, CheckpointError and this project's own RuntimeErrors; all else keeps its traceback,
    as everything does where the environment has ``HANDKP_TRACEBACK=1``. Under torchrun the first process that failed is
    the one that its report shows.

    Args:
        main: The tool, without arguments.
        stopped: What to say on Ctrl-C.
        also: More classes of errors that need no traceback.
    """
    name = Path(sys.argv[0]).name
    # MMEngine asks it for installed packages; a user can do nothing about that.
    warnings.filterwarnings('ignore', 'pkg_resources is deprecated')

    def attempt() -> None:
        try:
            main()
            _part_from_peers()
        except RuntimeError as e:
            if int(os.environ.get('WORLD_SIZE', '1')) == 1 or not _PEER_GONE.search(str(e)):
                raise
            rank = os.environ.get('RANK', '?')
            print(f'{name}: process {rank} stops, for another one has: see the message of that', file=sys.stderr)
            time.sleep(5)  # torchrun blames the process that it finds ended first, and then ends the others
            sys.exit(1)

    try:
        record(attempt)()
    except KeyboardInterrupt:
        sys.exit(f'{name}: {stopped}')
    except Exception as e:
        known = isinstance(e, (OSError, CheckpointError, *also)) or (isinstance(e, RuntimeError) and _is_ours(e))
        if os.environ.get('HANDKP_TRACEBACK') == '1' or not (known or isinstance(e, ValueError)):
            raise
        hint = '' if known or _is_ours(e) else ' (HANDKP_TRACEBACK=1 shows where)'
        sys.exit(f'{name}: {_one_line(e)}{hint}')


def _part_from_peers() -> None:
    """End a process that has done its share. Gloo's threads now and then abort one while Python is torn down, and a
    training that succeeded would count as failed: so that is left out, once nothing more is to be written."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _is_ours(error: Exception) -> bool:
    """Whether a ``raise`` in this project's own code made it, rather than compiled code called from there."""
    place = error.__traceback__
    while place.tb_next:
        place = place.tb_next
    frame = place.tb_frame
    package = frame.f_globals.get('__name__', '').partition('.')[0]
    raised = dis.opname[frame.f_code.co_code[place.tb_lasti]] == 'RAISE_VARARGS'
    return raised and package in ('handkp_plugins', '__main__')


def _one_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    if 'Original Traceback' in text:  # of a process that loads data: its last line tells the error
        text = text.splitlines()[-1]
    return ' '.join(text.split())
