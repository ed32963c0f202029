"""Progress of tasks: a line at intervals where standard error is no terminal."""

import logging
import time

import pytest

from spherekit._core import progress


@pytest.fixture(autouse=True)
def as_in_a_new_process(monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0.02)
    logger = logging.Logger("spherekit")  # without the root logger, which pytest configures
    monkeypatch.setattr(progress, "logger", logger)
    monkeypatch.delenv("SPHEREKIT_QUIET", raising=False)


def said_of_two_items(capsys):
    with progress.progress_bar("transform", 2, "maps") as bar:
        bar.update(note="residual 0.1")
        time.sleep(0.2)
        bar.update()
        time.sleep(0.1)  # nothing is shown when all items are complete
        capsys_of_end = capsys.readouterr().err
    return capsys_of_end


def test_lines_have_done_total_rate_and_time_left(capsys):
    lines = said_of_two_items(capsys).splitlines()
    assert lines[0].startswith("spherekit: transform: 1 of 2 maps, ")
    assert "/s, " in lines[0]
    assert lines[0].endswith(" s left, residual 0.1")
    assert all("1 of 2" in line for line in lines)


def test_lines_are_silenced_by_the_environment(capsys, monkeypatch):
    monkeypatch.setenv("SPHEREKIT_QUIET", "1")
    assert said_of_two_items(capsys) == ""


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_lines_follow_the_configuration_of_the_logger(capsys, level):
    received = []

    class Handler(logging.Handler):
        def emit(self, record):
            received.append(record.getMessage())

    progress.logger.addHandler(Handler())
    progress.logger.setLevel(level)
    assert said_of_two_items(capsys) == ""
    assert bool(received) == (level == logging.INFO)
    assert all(message.startswith("transform: 1 of 2 maps") for message in received)


def test_a_bar_without_a_total_counts(capsys):
    with progress.progress_bar("fit", unit="iterations") as bar:
        time.sleep(0.1)
        assert capsys.readouterr().err == ""
        bar(3)
        time.sleep(0.1)
    assert capsys.readouterr().err.startswith("spherekit: fit: 3 iterations, ")


def test_a_terminal_has_a_bar(monkeypatch):
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with progress.progress_bar("maps", 2) as bar:
        bar.update()
        bar.update()
    assert "maps:   0%|" in terminal.getvalue()
