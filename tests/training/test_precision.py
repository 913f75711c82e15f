"""Precision: which format on which hardware, and why."""

import pytest

from seewell.training.precision import Hardware, choose_precision, detect_hardware, policy_name


def hardware(*flags, gpus=()):
    return Hardware("a processor", 2, frozenset(flags), tuple(gpus))


@pytest.mark.parametrize(
    ("machine", "expected", "reason"),
    [
        (hardware("avx2"), "float32", "no bfloat16"),
        (hardware(), "float32", "no bfloat16"),
        (hardware("avx512_bf16"), "bfloat16", "AVX-512"),
        (hardware("avx512_bf16", "amx_bf16"), "bfloat16", "AMX"),
        (hardware("amx_bf16"), "bfloat16", "AMX"),
        (hardware(gpus=[(8, 0)]), "bfloat16", "8.0"),
        (hardware(gpus=[(9, 0), (8, 6)]), "bfloat16", "8.6"),
        (hardware(gpus=[(7, 5)]), "float16", "7.5"),
        (hardware(gpus=[(9, 0), (7, 0)]), "float16", "7.0"),
        (hardware("amx_bf16", gpus=[(6, 1)]), "float32", "16-bit"),
        (hardware("amx_bf16", gpus=[(0, 0)]), "float32", "16-bit"),
    ],
)
def test_auto_takes_the_fast_format_and_says_why(machine, expected, reason):
    choice = choose_precision("auto", machine)
    assert (choice.setting, choice.value) == ("precision", expected)
    assert reason in choice.reason


@pytest.mark.parametrize("asked", ["float32", "bfloat16", "float16"])
def test_what_is_asked_for_is_taken(asked):
    choice = choose_precision(asked, hardware("amx_bf16", gpus=[(9, 0)]))
    assert choice.value == asked
    assert choice.reason == "asked for"


def test_the_policies_are_keras_own():
    assert [policy_name(one) for one in ("float32", "bfloat16", "float16")] == [
        "float32",
        "mixed_bfloat16",
        "mixed_float16",
    ]


def test_this_machine_is_detected():
    found = detect_hardware()
    assert found.cores >= 1
    assert found.processor
    assert choose_precision("auto", found).value in ("float32", "bfloat16", "float16")
    assert found == detect_hardware()
