"""Runs the project's tools one after another, as a user would, and shows the lines that matter."""

import re
import shlex
import subprocess
import sys
from collections import deque
from pathlib import Path


def run_step(root: Path, tool: str, *arguments: str, log: Path | None = None, show: str = r'(?!)') -> None:
    """Run a tool in a process of its own; the command is printed first.

    Args:
        root: the project's folder, where the tool runs.
        tool: path of the tool, as seen from there.
        log: file that takes its output; by default the output goes to the terminal.
        show: pattern of what to show of a line of the output, where there is a log; by default nothing.

    Raises:
        RuntimeError: the tool failed; the message holds the end of its output and names its log.
    """
    command = [tool, *arguments]
    print('$ python', shlex.join(command), flush=True)
    argv = [sys.executable, '-u', *command]
    if log is None:
        status = subprocess.run(argv, cwd=root).returncode
        if status:
            raise RuntimeError(f'{tool} failed (exit status {status}): see above')
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    last: deque[str] = deque(maxlen=20)
    with (
        log.open('w') as file,
        subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        try:
            for line in process.stdout:
                file.write(line)
                last.append(line)
                found = re.search(show, line)
                if found:
                    print(' '.join(found[0].split())[:160], flush=True)
        except BaseException:
            process.terminate()  # it must not go on alone where only this process was interrupted
            raise
    if process.returncode:
        raise RuntimeError(f'{tool} failed (exit status {process.returncode}), its log is {log}:\n{"".join(last)}')
