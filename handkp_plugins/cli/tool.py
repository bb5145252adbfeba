"""Run a tool: print errors of use in one line, and let other errors show their traceback."""

import logging
import os
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handkp_plugins.errors import HandkpError

# What gloo, NCCL and the store say when another process is gone.
_PEER_GONE = re.compile(r'connection (was )?(closed|reset) by (remote )?peer|broken pipe|remote process exited', re.I)


def run_tool(main: Callable[[], Any], stopped: str = 'stopped') -> None:
    """Run the ``main`` of a tool, and exit with status 1 if it fails.

    A ValueError, an OSError and a HandkpError print their message alone. Other errors, and all errors if the
    environment has ``HANDKP_TRACEBACK=1``, show their traceback. Under torchrun, the report shows the process that
    failed first. Ctrl-C prints ``stopped``.
    """
    name = Path(sys.argv[0]).name
    # MMEngine asks pkg_resources for installed packages; a user cannot change that.
    warnings.filterwarnings('ignore', 'pkg_resources is deprecated')

    def attempt() -> None:
        try:
            main()
            _leave_group()
        except RuntimeError as e:
            if int(os.environ.get('WORLD_SIZE', '1')) == 1 or not _PEER_GONE.search(str(e)):
                raise
            rank = os.environ.get('RANK', '?')
            print(f'{name}: process {rank} stops because another process failed; see its message', file=sys.stderr)
            time.sleep(5)  # torchrun blames the process that ends first, and then ends the others
            sys.exit(1)

    run = attempt
    if 'TORCHELASTIC_ERROR_FILE' in os.environ:  # torchrun reads the recorded error
        from torch.distributed.elastic.multiprocessing.errors import record

        run = record(attempt)
    try:
        run()
    except KeyboardInterrupt:
        sys.exit(f'{name}: {stopped}')
    except (ValueError, OSError, HandkpError) as e:
        if os.environ.get('HANDKP_TRACEBACK') == '1':
            raise
        sys.exit(f'{name}: {_message(e)}')


def _message(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, HandkpError):  # may end with the last lines of a log
        return text
    if 'Original Traceback' in text:  # from a process that loads data: the last line is the error
        text = text.splitlines()[-1]
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    ours = frame.f_globals.get('__name__', '').partition('.')[0] in ('handkp_plugins', '__main__')
    hint = '' if ours or isinstance(error, OSError) else ' (HANDKP_TRACEBACK=1 shows where)'
    return ' '.join(text.split()) + hint


def _leave_group() -> None:
    """End a process of several without a shutdown of Python: threads of gloo sometimes abort in it, and a run that
    succeeded would count as failed."""
    distributed = sys.modules.get('torch.distributed')
    if distributed and distributed.is_available() and distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
