"""The world as WebDataset shards (https://github.com/webdataset/webdataset), for the training of other tools.

A shard is a tar file. The files of a sample share their name up to the first dot: 000000012.png, .masks.png, .txt (the
caption), .json (the truth). A folder holds shards and dataset.json, which says what they are of.
"""

import io
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from pydantic import Field, ValidationError

from scope.errors import UsageError
from scope.files import remove_partial, unwritable, write_atomic
from scope.worlds.pocket.catalogue import VERSION
from scope.worlds.pocket.samples import Sample, Selection, draw_sample

_INDEX = "dataset.json"


class Dataset(Selection):
    """What a folder holds: `count` samples, `shard` of them in a file, drawn from a version of the catalogue."""

    count: int = Field(gt=0)
    shard: int = Field(default=1000, gt=0)
    catalogue: int = VERSION
    licences: str = "drawings: licences.csv and NOTICE of scope; scenes: Apache-2.0, but CC-BY-4.0 where twemoji draws"


def export(folder: Path, dataset: Dataset, progress: Callable[[int], None] = lambda done: None) -> list[Path]:
    """Write the shards that are not there yet and return them all; `progress` is told how many samples are written.

    Each shard is whole or absent, and the same samples give the same bytes: an export that was stopped is continued by
    asking for it again.

    Raises: UsageError if the folder holds something else; OutputError if a file cannot be written.
    """
    _claim(folder, dataset)
    paths = []
    for number, start in enumerate(range(0, dataset.count, dataset.shard)):
        stop = min(start + dataset.shard, dataset.count)
        paths.append(folder / f"shard-{number:06d}.tar")
        if not paths[-1].exists():
            write_atomic(paths[-1], tar_of(dataset, start, stop))
        progress(stop)
    return paths


def _claim(folder: Path, dataset: Dataset) -> None:
    """Make the folder this data set's own."""
    index = folder / _INDEX
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if index.exists():
            if Dataset.model_validate_json(index.read_bytes()) != dataset:
                raise UsageError(f"{folder} holds other samples (see {_INDEX} in it); choose another folder")
        elif any(folder.iterdir()):
            raise UsageError(f"{folder} is not empty; choose another folder")
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{folder} is a file; choose another place for the folder") from error
    except ValidationError as error:
        raise UsageError(f"{index} is not of an export of this world; choose another folder") from error
    except OSError as error:
        raise unwritable(folder, error) from error
    remove_partial(folder)
    write_atomic(index, (dataset.model_dump_json(indent=1) + "\n").encode())


def tar_of(selection: Selection, start: int, stop: int) -> bytes:
    """Return the shard of samples [start, stop)."""
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for number in range(start, stop):
            for ending, data in _files(draw_sample(selection, number)):
                member = tarfile.TarInfo(f"{number:09d}.{ending}")  # no clock and no user: the same bytes at any time
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return whole.getvalue()


def _files(sample: Sample) -> Iterator[tuple[str, bytes]]:
    for ending, pixels in sample.pictures.items():
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "png")
        yield ending, data.getvalue()
    yield "txt", sample.text.encode()
    yield "json", sample.json().encode()
