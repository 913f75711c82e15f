"""Help and version: light, complete, and never a traceback."""

import pytest
import typer

from seewell import __version__
from seewell.cli.main import app

COMMANDS = [
    (),
    ("train",),
    ("evaluate",),
    ("predict",),
    ("diagnose",),
    ("export",),
    ("report",),
    ("adopt",),
    ("network",),
    ("network", "list"),
    ("network", "show"),
    ("runs",),
    ("runs", "list"),
    ("runs", "show"),
    ("runs", "prune"),
    ("lab",),
    ("lab", "centring"),
    ("lab", "initializers"),
    ("lab", "optimizers"),
]

CODE = f"""
import sys
from seewell.cli.main import main
for words in {COMMANDS!r}:
    for flag in ("--help", "-h"):
        sys.argv = ["seewell", *words, flag]
        try:
            main()
        except SystemExit as ended:
            assert not ended.code, (words, ended.code)
heavy = ("tensorflow", "numpy", "keras", "scipy", "matplotlib", "PIL", "sklearn", "jinja2")
sys.stderr.write(repr([name for name in heavy if name in sys.modules]))
"""


def test_no_help_imports_tensorflow_or_numpy(run_python):
    done = run_python(CODE)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "[]"


def test_these_are_the_commands():
    def names(group, prefix=()):
        yield prefix
        for name, one in getattr(group, "commands", {}).items():
            yield from names(one, (*prefix, name))

    assert set(names(typer.main.get_command(app))) == set(COMMANDS)


def test_the_version_is_the_package_s(command):
    done = command("--version")
    assert (done.code, done.out) == (0, f"seewell {__version__}\n")


@pytest.mark.parametrize(
    "words", [["trian", "digits"], ["train", "digits", "--epoch", "x"], ["train", "--no-such-option"]]
)
def test_wrong_usage_is_exit_code_2_without_a_traceback(refused, words):
    assert "Error" in refused(*words)


OPTIONS = [
    "recipe",
    "network",
    "initializer",
    "optimizer",
    "learning-rate",
    "schedule",
    "epochs",
    "steps",
    "batch-size",
    "preprocess",
    "augment",
    "l2",
    "dropout",
    "label-smoothing",
    "ema",
    "precision",
    "seed",
    "validation-fraction",
    "early-stop",
    "target-error",
    "checkpoint-every",
    "keep-last",
    "out",
    "json",
    "resume",
    "no-doctor",
    "stop-on",
]


def test_train_has_the_options_of_the_contract():
    train = typer.main.get_command(app).get_command(None, "train")
    assert {f"--{name}" for name in OPTIONS} <= {flag for one in train.params for flag in one.opts}


def test_every_setting_has_an_option_of_its_name():
    import dataclasses

    from seewell.config import TrainConfig

    train = typer.main.get_command(app).get_command(None, "train")
    names = {field.name for field in dataclasses.fields(TrainConfig)} - {"network_arguments"}
    assert names <= {one.name for one in train.params}


def test_the_console_script_is_installed(seewell):
    done = seewell("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"seewell {__version__}\n", "")
