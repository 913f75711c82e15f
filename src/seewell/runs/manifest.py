"""A checkpoint's ``manifest.json``: what it holds, with the size and SHA-256 of each file and of itself."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seewell.files import json_bytes, sha256_of_file
from seewell.runs.tensorfile import Arrays, Written

__all__ = ["MANIFEST", "Manifest", "damage", "manifest_bytes", "read_manifest"]

MANIFEST = "manifest.json"
STATE = "state.json"
FORMAT = 2
"""1 had one file of each kind and no checksum of its own."""

KINDS = ("weights", "optimizer")
_TENSORS = re.compile(r"(weights|optimizer)(-\d{5}-of-\d{5})?\.safetensors")


@dataclass(frozen=True)
class Manifest:
    """What a manifest says.

    Attributes:
        step: Updates made.
        only: The layers that it is limited to, such as "conv*"; None where it is whole.
        arrays: Kind ("weights", "optimizer") → name → ``{"shape": …, "dtype": …}``.
        files: File name → size and SHA-256.
    """

    step: int
    only: str | None
    arrays: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, Written]

    def files_of(self, kind: str) -> tuple[str, ...]:
        """The names of the files that hold the arrays of a kind, in order."""
        return tuple(sorted(name for name in self.files if name.startswith(kind)))

    def bytes_of(self, kind: str) -> int:
        """What the arrays of a kind take on the disk."""
        return sum(self.files[name].bytes for name in self.files_of(kind))

    @property
    def bytes(self) -> int:
        """What all files but the manifest take."""
        return sum(one.bytes for one in self.files.values())


def manifest_bytes(
    *, step: int, only: str | None, weights: Arrays, optimizer: Arrays, files: Mapping[str, Written]
) -> bytes:
    """The text of a manifest, ready to be written."""

    def described(arrays: Arrays) -> dict[str, Any]:
        return {name: {"shape": list(value.shape), "dtype": str(value.dtype)} for name, value in arrays.items()}

    content = {
        "format": FORMAT,
        "step": step,
        "only": only,
        "weights": described(weights),
        "optimizer": described(optimizer),
        "files": {name: {"bytes": one.bytes, "sha256": one.sha256} for name, one in files.items()},
    }
    return json_bytes({**content, "sha256": _checksum(content)})


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_bytes(content)).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a checkpoint; its files are not looked at (see `damage`).

    Raises:
        ValueError: It is not the manifest that was written: cut, changed, or of another format.
        OSError: It cannot be read.
    """
    content = (folder / MANIFEST).read_bytes()
    try:
        said = json.loads(content)
    except ValueError as problem:
        raise ValueError(f"{MANIFEST} is not whole ({problem})") from problem
    try:
        if said["format"] != FORMAT:
            raise ValueError(f"{MANIFEST} has the format {said['format']!r} instead of {FORMAT}")
        rest = {key: value for key, value in said.items() if key != "sha256"}
        # Byte for byte: a space that became something else is damage as well.
        if said["sha256"] != _checksum(rest) or content != json_bytes(said):
            raise ValueError(f"{MANIFEST} does not have the checksum that it names")
        files = {name: Written(int(one["bytes"]), str(one["sha256"])) for name, one in said["files"].items()}
        strange = next((name for name in files if name != STATE and not _TENSORS.fullmatch(name)), None)
        if strange is not None:
            raise ValueError(f"{MANIFEST} names the file {strange!r}")
        manifest = Manifest(int(said["step"]), said["only"], {kind: said[kind] for kind in KINDS}, files)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"{MANIFEST} is something else ({type(problem).__name__}: {problem})") from problem
    missing = [name for name in (*KINDS, STATE) if not manifest.files_of(name)]
    if missing:
        raise ValueError(f"{MANIFEST} names no file for: {', '.join(missing)}")
    return manifest


def damage(folder: Path) -> str:
    """What is wrong with a checkpoint, in a few words; an empty text where every checksum holds."""
    try:
        manifest = read_manifest(folder)
        for name, said in manifest.files.items():
            size = (folder / name).stat().st_size
            if size != said.bytes:
                return f"{name} has {size:,} bytes instead of {said.bytes:,}"
            if sha256_of_file(folder / name) != said.sha256:
                return f"{name} does not have the checksum in its manifest"
    except OSError as problem:
        return f"{Path(problem.filename or folder).name}: {problem.strerror or problem}"
    except ValueError as problem:
        return str(problem)
    return f"its folder is not named after step {manifest.step}" if _misnamed(folder, manifest) else ""


def _misnamed(folder: Path, manifest: Manifest) -> bool:
    return folder.name.startswith("step-") and folder.name != f"step-{manifest.step:08d}"
