"""Which number format a training computes in, and why."""

import platform
from dataclasses import dataclass
from pathlib import Path

from seewell.training.quotas import usable_cores, usable_memory

__all__ = ["Choice", "Hardware", "choose_precision", "detect_hardware", "policy_name"]


@dataclass(frozen=True)
class Choice:
    """A value that was chosen automatically, with its reason.

    Attributes:
        setting: The setting's name.
        value: What was chosen.
        reason: Why, in a sentence.
    """

    setting: str
    value: object
    reason: str


@dataclass(frozen=True)
class Hardware:
    """What the choice depends on.

    Attributes:
        processor: The processor's name.
        cores: Usable cores.
        flags: The processor's instruction sets, as Linux names them; empty where unknown.
        gpus: Compute capability (major, minor) of each GPU; (0, 0) where it has none (other makers).
        memory: Bytes that may be used; 0 where unknown.
    """

    processor: str
    cores: int
    flags: frozenset[str]
    gpus: tuple[tuple[int, int], ...] = ()
    memory: int = 0

    @property
    def has_bfloat16(self) -> bool:
        """Whether the processor multiplies bfloat16 itself."""
        return bool({"avx512_bf16", "amx_bf16"} & self.flags)


def detect_hardware() -> Hardware:
    """Look at this machine: processor, usable cores and memory, GPUs that TensorFlow sees."""
    import tensorflow as tf

    name, flags = platform.processor() or platform.machine(), frozenset[str]()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            label, _, value = line.partition(":")
            if label.strip() == "flags":
                flags = frozenset(value.split())
                break
            if label.strip() == "model name":
                name = value.strip()
    gpus = tuple(
        tuple(tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)))
        for gpu in tf.config.list_physical_devices("GPU")
    )
    return Hardware(name, usable_cores(), flags, gpus, usable_memory())


def choose_precision(asked: str, hardware: Hardware) -> Choice:
    """Pick the number format for the products; weights stay float32 in every case.

    Args:
        asked: "auto", or the format itself, which is then taken.
        hardware: What it will run on.

    Returns:
        The choice, with "float32", "bfloat16" or "float16" as its value.

    Example:
        >>> choose_precision("auto", Hardware("old", 2, frozenset())).value
        'float32'
    """
    if asked != "auto":
        return Choice("precision", asked, "asked for")
    if hardware.gpus:
        lowest = min(hardware.gpus)
        if lowest >= (8, 0):
            return Choice("precision", "bfloat16", f"every GPU has compute capability {lowest[0]}.{lowest[1]} or more")
        if lowest >= (7, 0):
            return Choice(
                "precision",
                "float16",
                f"a GPU of compute capability {lowest[0]}.{lowest[1]} multiplies float16, not bfloat16",
            )
        return Choice("precision", "float32", "a GPU has no fast 16-bit products")
    if hardware.has_bfloat16:
        which = "AMX" if "amx_bf16" in hardware.flags else "AVX-512"
        return Choice("precision", "bfloat16", f"the processor has {which} bfloat16 instructions")
    return Choice("precision", "float32", "the processor has no bfloat16 instructions")


def policy_name(precision: str) -> str:
    """The Keras dtype policy of a precision, such as "mixed_bfloat16"."""
    return precision if precision == "float32" else f"mixed_{precision}"
