"""The examples in docstrings run and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import seewell as package

MODULES = sorted(one.name for one in pkgutil.walk_packages(package.__path__, "seewell."))
FLAGS = doctest.NORMALIZE_WHITESPACE


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=FLAGS)
    assert found.failed == 0, f"{found.failed} of {found.attempted} examples fail"
