"""CIFAR-10 and CIFAR-100 in the binary and in the python layout.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images",
2009. A binary record is the label (CIFAR-100: coarse label, fine label) and
3,072 bytes, the red, green and blue plane of a 32 x 32 image in turn. The
python layout holds pickles; see `seewell.data.readers.cifar_pickle`.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Images, Split
from seewell.data.decode import Decoding
from seewell.data.labels import check_range, class_names
from seewell.data.names import printable
from seewell.data.opening import open_regular
from seewell.data.readers.base import Contents, Reader, ReadOptions
from seewell.data.readers.cifar_pickle import read_batch, read_class_names
from seewell.errors import DataError

__all__ = ["READERS"]

_PIXELS = 3 * 32 * 32
_RECORDS_AT_ONCE = 4096
_OFFICIAL_BATCHES = 5


@dataclass(frozen=True)
class _Layout:
    """The file names of one of the four layouts."""

    name: str
    kind: Literal["binary", "python"]
    train: str
    """A regular expression; a group, where it has one, is the number of the batch."""
    test: str
    names: str
    label_bytes: int

    def recognises(self, path: Path) -> bool:
        return path.is_dir() and bool(self.train_files(path) or (path / self.test).is_file())

    def train_files(self, folder: Path) -> list[Path]:
        """The training files in order; a missing one in a numbered row is an error."""
        found = {entry.name: entry for entry in folder.iterdir() if re.fullmatch(self.train, entry.name)}
        if "(" not in self.train:
            return list(found.values()) if (folder / self.names).exists() or self.kind == "binary" else []
        numbered = {int(name.split("_")[2].split(".")[0]): file for name, file in found.items()}
        return [numbered[number] for number in sorted(numbered)]

    def check_complete(self, folder: Path, files: list[Path]) -> None:
        missing = [
            name
            for name in (f"data_batch_{n}" for n in range(1, len(files) + 1))
            if "(" in self.train and not any(file.name.split(".")[0] == name for file in files)
        ]
        if missing or not files:
            name = missing[0] + (".bin" if self.kind == "binary" else "") if missing else self.train.split("(")[0]
            raise DataError(
                f"{printable(folder)} lacks {name.replace(chr(92), '')}"
                + (f", though {files[-1].name} is there." if files else "."),
                expected="data_batch_1, data_batch_2 ... without gaps" if "(" in self.train else "a training file",
                fix="copy or download the missing file",
            )

    def read(self, folder: Path, options: ReadOptions) -> Contents:
        files = self.train_files(folder)
        self.check_complete(folder, files)
        known = self._names(folder) or options.classes
        images, raw_labels = self._read_files(files)
        classes = class_names(known, raw_labels, where=_where(files))
        train = Split(images, check_range(raw_labels, len(classes), where=_where(files)))
        test, notes = None, []
        if (folder / self.test).exists():
            test_images, test_labels = self._read_files([folder / self.test])
            test = Split(test_images, check_range(test_labels, len(classes), where=self.test))
        else:
            notes.append(f"there is no {self.test}, so there is no test split")
        if "(" in self.train and len(files) != _OFFICIAL_BATCHES:
            notes.append(f"there are {len(files)} training batches; CIFAR-10 has {_OFFICIAL_BATCHES}")
        if known is None:
            notes.append(f"{self.names} is missing, so classes are called by their numbers")
        return Contents(classes, train, None, test, Decoding(channels=3, height=32, width=32), tuple(notes))

    def _names(self, folder: Path) -> tuple[str, ...] | None:
        file = folder / self.names
        if not file.exists():
            return None
        if self.kind == "python":
            return read_class_names(file)
        with open_regular(file) as stream:
            text = stream.read(2**20).decode("utf-8", "backslashreplace")
        return tuple(line.strip() for line in text.splitlines() if line.strip()) or None

    def _read_files(self, files: list[Path]) -> tuple[Images, npt.NDArray[np.int64]]:
        if self.kind == "python":
            batches = [read_batch(file) for file in files]
            planes = [batch[0] for batch in batches]
            labels = np.concatenate([batch[1] for batch in batches])
            images = np.empty((len(labels), 32, 32, 3), dtype=np.uint8)
            start = 0
            while planes:
                batch = planes.pop(0)
                images[start : start + len(batch)] = batch.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
                start += len(batch)
            return images, labels
        record = self.label_bytes + _PIXELS
        counts = [_count_records(file, record) for file in files]
        images = np.empty((sum(counts), 32, 32, 3), dtype=np.uint8)
        labels = np.empty(sum(counts), dtype=np.int64)
        start = 0
        for file, count in zip(files, counts, strict=True):
            _read_records(file, images[start : start + count], labels[start : start + count], self.label_bytes)
            start += count
        return images, labels


def _where(files: list[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{files[0].name} to {files[-1].name} together"


def _count_records(file: Path, record: int) -> int:
    with open_regular(file) as stream:
        size = stream.seek(0, 2)
    whole, rest = divmod(size, record)
    if rest or not whole:
        raise DataError(
            f"{file.name} is cut or not a CIFAR file: {size:,} bytes are not a multiple of {record:,}; "
            f"the last whole image ends at byte {whole * record:,}.",
            expected=f"{record:,} bytes an image, at least one image",
            fix="copy or download the file again",
            details={"file": f"{printable(file)} ({size:,} bytes)"},
        )
    return whole


def _read_records(file: Path, images: Images, labels: npt.NDArray[np.int64], label_bytes: int) -> None:
    """Fill ``images`` and ``labels``, a few thousand records at a time, so that no second copy of all is held."""
    record = label_bytes + _PIXELS
    with open_regular(file) as stream:
        for start in range(0, len(images), _RECORDS_AT_ONCE):
            count = min(_RECORDS_AT_ONCE, len(images) - start)
            rows = np.fromfile(stream, dtype=np.uint8, count=count * record)
            if len(rows) != count * record:
                raise DataError(
                    f"{file.name} became shorter while it was read.",
                    expected=f"{len(images):,} images",
                    fix="run again when nothing writes to it",
                )
            rows = rows.reshape(count, record)
            labels[start : start + count] = rows[:, label_bytes - 1]
            planes = rows[:, label_bytes:].reshape(count, 3, 32, 32)
            images[start : start + count] = planes.transpose(0, 2, 3, 1)


_LAYOUTS = (
    _Layout("cifar10-binary", "binary", r"data_batch_(\d+)\.bin", "test_batch.bin", "batches.meta.txt", 1),
    _Layout("cifar10-python", "python", r"data_batch_(\d+)", "test_batch", "batches.meta", 0),
    _Layout("cifar100-binary", "binary", r"train\.bin", "test.bin", "fine_label_names.txt", 2),
    _Layout("cifar100-python", "python", r"train", "test", "meta", 0),
)

_DESCRIPTIONS = {
    "cifar10-binary": "CIFAR-10, binary: data_batch_1.bin … and test_batch.bin",
    "cifar10-python": "CIFAR-10, python: data_batch_1 … and test_batch",
    "cifar100-binary": "CIFAR-100, binary: train.bin and test.bin",
    "cifar100-python": "CIFAR-100, python: train, test and meta",
}

READERS = tuple(
    Reader(name=layout.name, layout=_DESCRIPTIONS[layout.name], recognises=layout.recognises, read=layout.read)
    for layout in _LAYOUTS
)
