"""The command line inside this process, through `main`, as a user's shell sees it."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        return json.loads(lines[0])


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run `seewell ARGUMENTS` in an empty folder."""
    from seewell.cli.main import main

    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["seewell", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def refused(command):
    """Run a command that must be refused: exit code 2, one message on stderr, nothing on stdout, no traceback."""

    def run(*arguments, kind=None):
        done = command(*arguments)
        assert done.code == 2, done.err
        assert done.out == ""
        assert "Traceback" not in done.err
        if kind is not None:
            lines = done.err.splitlines()
            assert lines[0].startswith(f"{kind}: ")
            assert all(line.startswith("  ") for line in lines[1:])
            assert sum("fix:" in line for line in lines) == 1
        return done.err

    return run
