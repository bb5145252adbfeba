import os
import signal
import threading
import time

import pytest

from handkp_plugins.engine.stopping import deferred_interrupt


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)


def test_the_first_interrupt_is_noted_and_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    done = []
    with pytest.raises(KeyboardInterrupt), deferred_interrupt() as stopped:
        done.append(stopped())
        interrupt()
        done.append(stopped())
        interrupt()
        done.append('not reached')
    assert done == [False, True] and signal.getsignal(signal.SIGINT) is before


def test_afterwards_all_is_as_before():
    with deferred_interrupt() as stopped:
        assert not stopped()
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_in_another_thread_nothing_is_changed():
    seen = []

    def work() -> None:
        with deferred_interrupt() as stopped:
            seen.extend([stopped(), signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False, signal.getsignal(signal.SIGINT)]
