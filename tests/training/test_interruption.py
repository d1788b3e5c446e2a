import signal
import threading

import pytest

from defectkeras.training.interruption import (
    Terminated,
    notice_interrupts,
    raise_at_sigterm,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_first_signal_is_a_wish(number, capfd):
    before = signal.getsignal(number)
    with notice_interrupts("this step") as wants_to_stop:
        assert not wants_to_stop()
        signal.raise_signal(number)
        assert wants_to_stop() == number
        assert "Stopping after this step" in capfd.readouterr().err
    assert signal.getsignal(number) is before


@pytest.fixture
def ctrl_c_stops():
    """A shell that starts this in the background has Python ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_stops")
def test_second_ctrl_c_stops_at_once():
    with notice_interrupts("this step"):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_sigterm_ends_work_as_ctrl_c_does():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), raise_at_sigterm():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_another_thread_changes_nothing():
    before = signal.getsignal(signal.SIGINT)
    found = []

    def ask():
        with notice_interrupts("this step") as wants_to_stop, raise_at_sigterm():
            found.append((wants_to_stop(), signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [(False, before)]
