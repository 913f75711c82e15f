"""TensorFlow's start-up chatter is dropped, and not one line else."""

import os
import textwrap

import pytest

import seewell

FAKE = """
import os, sys
os.write(2, b"2026-01-01 I0000 port.cc:153] oneDNN custom operations are on. You may see\\n")
os.write(2, b"cudart_stub.cc:31] Could not find cuda drivers on your machine, GPU will not be used.\\n")
os.write(2, b"a line that matters\\n")
sys.stderr.write("another line that matters\\n")
if "FAIL" in os.environ:
    raise ImportError("libtensorflow is missing")
class config:
    @staticmethod
    def list_physical_devices():
        os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
        return []
"""
CODE = "import seewell.quiet, sys; seewell.quiet.import_tensorflow(); sys.stderr.write('after\\n')"


def fake_tensorflow(folder):
    (folder / "tensorflow.py").write_text(textwrap.dedent(FAKE), encoding="utf-8")
    return {"PYTHONPATH": str(folder)}


def test_only_the_chatter_is_dropped(run_python, tmp_path):
    done = run_python(CODE, environment=fake_tensorflow(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == ["a line that matters", "another line that matters", "after"]


def test_where_the_import_fails_its_lines_and_its_error_are_seen(run_python, tmp_path):
    done = run_python(CODE, environment={**fake_tensorflow(tmp_path), "FAIL": "1"})
    assert done.returncode == 1
    assert "a line that matters" in done.stderr
    assert "ImportError: libtensorflow is missing" in done.stderr
    assert "after" not in done.stderr.splitlines()


def test_a_tensorflow_that_is_there_already_is_left_alone(run_python, tmp_path):
    code = "import sys, types; sys.modules['tensorflow'] = types.ModuleType('tensorflow')\n" + CODE
    done = run_python(code, environment=fake_tensorflow(tmp_path))
    assert done.stderr.splitlines() == ["after"]


def test_the_real_one_says_nothing(run_python):
    done = run_python(CODE)
    assert done.returncode == 0
    assert done.stderr == "after\n"


def test_what_keras_wants_for_its_wrappers_alone_is_not_imported_and_can_be_afterwards(run_python):
    code = """
        import sys
        from seewell.quiet import import_tensorflow
        import_tensorflow()
        assert "keras" in sys.modules
        unwanted = {"sklearn", "pandas", "matplotlib"} & {*sys.modules}
        assert not unwanted, unwanted
        assert not any(type(one).__module__ == "seewell.quiet" for one in sys.meta_path)
        import keras, matplotlib.pyplot, numpy, pandas, sklearn.datasets
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(numpy.ones((4, 2)), numpy.zeros(4), verbose=0)
    """
    done = run_python(textwrap.dedent(code))
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_package_that_is_there_already_stays(run_python):
    code = """
        import matplotlib, sys
        from seewell.quiet import import_tensorflow
        import_tensorflow()
        assert "pandas" not in sys.modules
        assert sys.modules["keras.src.visualization.plot_image_gallery"].plt is not None
    """
    done = run_python(textwrap.dedent(code))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "given", "asked"),
    [
        ("TrainConfig", None, None),
        ("Doctor", None, None),  # other people's trainings stay as they are
        ("examine", None, None),
        ("train", None, "1"),
        ("open_run", None, "1"),
        ("train", "0", "0"),
    ],
)
def test_our_own_trainings_ask_for_onednn_and_the_user_has_the_last_word(monkeypatch, name, given, asked):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given or "")
    if given is None:
        monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    getattr(seewell, name)
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == asked
