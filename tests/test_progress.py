"""Bars and messages: on the terminal, through the pipe of a build, and nowhere else."""

import os
import threading
from pathlib import Path

import pytest
from neighborhoods import progress


@pytest.fixture
def pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setenv(progress.TERMINAL, str(path))
    return path


def listen(pipe: Path, said: list[bytes]) -> threading.Thread:
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)

    def copy() -> None:
        with os.fdopen(reader, "rb") as stream:
            said.append(stream.read())

    thread = threading.Thread(target=copy)
    thread.start()
    return thread


def test_elements_pass_unchanged_and_nothing_is_drawn_without_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(progress.TERMINAL, raising=False)
    assert list(progress.bar(range(3), description="work")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


def test_bars_go_through_the_pipe_of_a_build(
    pipe: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(progress.COLUMNS, "80")
    said: list[bytes] = []
    writer, thread = os.open(pipe, os.O_RDWR), listen(pipe, said)
    assert list(progress.bar(iter("ab"), description="letters", total=2)) == ["a", "b"]
    os.close(writer)
    thread.join()
    assert b"letters" in said[0]
    assert b"2/2" in said[0] or b"0/2" in said[0]
    assert capsys.readouterr() == ("", "")


def test_without_a_width_only_messages_pass(pipe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(progress.COLUMNS, "")
    said: list[bytes] = []
    writer, thread = os.open(pipe, os.O_RDWR), listen(pipe, said)
    list(progress.bar(range(3), description="work"))
    progress.message("a word")
    os.close(writer)
    thread.join()
    assert said == [b"a word\n"]


def test_a_pipe_that_nobody_reads_does_not_hold_the_work_up(
    pipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress.message("still here")
    assert capsys.readouterr().err == "still here\n"
