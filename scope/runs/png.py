"""The picture as a record: what was asked, what was drawn and how, inside the PNG and beside it.

A PNG carries three texts, and no clock and no run, so that the same request gives the same bytes at any time:

- iTXt `scope`: the `Record` below, at most `LIMIT` bytes of JSON. A longer one is trimmed in the order of `_TRIMS`
  and says so in `trimmed`; the sidecar `NAME.png.json` is always whole.
- tEXt or iTXt `parameters`: the line that AUTOMATIC1111 and its viewers read.
- iTXt `XML:com.adobe.xmp`: IPTC's digital source type "trained algorithmic media" (this picture is synthetic).
"""

import io
import json
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from pydantic import ConfigDict, Field, ValidationError

from scope.errors import ImageError, StateCorrupt
from scope.files import write_atomic
from scope.runs.store import SCHEMA, Run, schema_of
from scope.specification import Draft, Model, Specification, Verdict, answers, canonical_json, fold

LIMIT = 256 * 1024  # bytes of JSON in the picture
MAX_FILE = 20 * 1024 * 1024  # bytes of a picture that is read
MAX_PIXELS = 40_000_000

_SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{_SYNTHETIC}"/></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


class Record(Model):
    """What it takes to explain a picture and to draw it again."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    schema_number: Literal[2] = Field(default=SCHEMA, alias="schema")
    run: str | None = None  # in the sidecar only
    specification: Specification
    draft: Draft
    verdicts: tuple[Verdict, ...] = ()
    options: dict[str, Any] = {}
    weights: dict[str, str] = {}  # file name -> sha256
    versions: dict[str, str] = {}  # package -> version
    trimmed: tuple[str, ...] = ()  # what did not fit into the picture


def sidecar(path: Path) -> Path:
    """Return where the record of the picture `path` lies beside it."""
    return path.with_name(path.name + ".json")


def save_png(path: Path, image: Image.Image, record: Record | None) -> None:
    """Write a picture and, beside it, its whole record; None: the bare picture, and no sidecar.

    Raises: OutputError if a file cannot be written; what was there before is then untouched.
    """
    if record is not None:
        whole = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
        write_atomic(sidecar(path), whole.encode())
    write_atomic(path, png_bytes(image, record))


def png_bytes(image: Image.Image, record: Record | None) -> bytes:
    """Return the PNG of a picture with its record inside: a pure function of the two."""
    texts = PngInfo()
    if record is not None:
        texts.add_itxt("scope", embedded(record), zip=False)
        texts.add_text("parameters", parameters(record))
        texts.add_itxt("XML:com.adobe.xmp", _XMP)
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG", pnginfo=texts)
    return file.getvalue()


def parameters(record: Record) -> str:
    """Return the record as the text of AUTOMATIC1111: prompt, newline, `Key: value, ...`."""
    request = record.draft.request
    version = record.versions.get("scope-t2i", "")
    fields: dict[str, object] = {"Seed": request.seed, "Model": record.draft.generator, "Version": f"scope {version}"}
    if request.steps is not None:
        fields = {"Steps": request.steps} | fields
    if request.cfg_scale is not None:
        fields["CFG scale"] = request.cfg_scale
    if record.weights:
        fields["Model hash"] = min(record.weights.items())[1][:10]
    return f"{record.specification.prompt}\n" + ", ".join(f"{key}: {value}" for key, value in fields.items())


def read_record(path: Path) -> Record:
    """Return the record inside a PNG. The file is not trusted.

    Raises: ImageError if it is no PNG within the limits, or holds no record that this version can read.
    """
    image = open_png(path)
    text = image.info.get("scope")
    if not isinstance(text, str):
        raise ImageError(f"{path}: no scope record inside (made by another program, or with --no-metadata)")
    if not _fits(text):
        raise ImageError(f"{path}: its record is larger than {LIMIT} bytes, so scope did not write it")
    try:
        record = Record.model_validate_json(text)
        answers(fold(record.specification.prompt, record.specification.events))
        return record
    except StateCorrupt as error:
        raise ImageError(f"{path}: its record is damaged: {error}") from error
    except ValidationError as error:
        schema = schema_of(error)
        if schema is not None:
            raise ImageError(
                f"the record in {path} is of schema {schema}, which this scope does not read (it reads {SCHEMA})"
            ) from error
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        raise ImageError(f"{path}: its record is damaged at {where}: {first['msg']}") from error


def open_png(path: Path) -> Image.Image:
    """Return a PNG, fully decoded, whatever the file is named.

    Raises: ImageError if it cannot be read, is no PNG, or is larger than `MAX_FILE` or `MAX_PIXELS`.
    """
    return _opened(path, ("PNG",))


def open_draft(run: Run, draft: Draft) -> Image.Image:
    """Return the picture of a draft, which its verdicts speak of.

    Raises: StateCorrupt if its file is gone or is not the one that was made; ImageError as of `open_png`.
    """
    path = run.folder / draft.path
    if not path.is_file() or sha256(path.read_bytes()).hexdigest() != draft.sha256:
        raise run.corrupt(f"{draft.path} is not the picture that was made")
    return open_png(path)


def open_picture(path: Path, transparent: bool = False) -> Image.Image:
    """Return someone's picture in RGB, upright: PNG, JPEG or WebP, in colour or grey, of 8 bits, without transparency.

    Where it may be `transparent` in places and is, it is in RGBA.

    Raises: ImageError if it is anything else, cannot be read, or is larger than `MAX_FILE` or `MAX_PIXELS`.
    """
    image = _opened(path, ("PNG", "JPEG", "WEBP"))
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
        if transparent:
            return ImageOps.exif_transpose(image.convert("RGBA"))
        raise ImageError(f"{path}: transparent in places; put it on a background first")
    if image.mode not in _LOSSLESS:
        raise ImageError(f"{path}: its pixels are {image.mode}, not 8-bit RGB or grey; convert it to RGB first")
    return ImageOps.exif_transpose(image.convert("RGB"))


#: What Pillow turns into RGB without choosing anything.
_LOSSLESS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")


def _opened(path: Path, formats: tuple[str, ...]) -> Image.Image:
    try:
        if path.stat().st_size > MAX_FILE:
            raise ImageError(f"{path}: larger than {MAX_FILE} bytes")
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("error")  # Pillow only warns of pictures that unpack to gigabytes
            image = Image.open(file, formats=formats)
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"{path}: {image.width} x {image.height} pixels are too many")
            image.load()
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file") from error
    except Exception as error:  # a hostile file makes Pillow raise almost anything
        kinds = formats[0] if len(formats) == 1 else f"{', '.join(formats[:-1])} or {formats[-1]}"
        raise ImageError(f"{path}: not a {kinds} that can be read ({error})") from error
    return image


# -- trimming ------------------------------------------------------------------------------------


def embedded(record: Record) -> str:
    """Return the record's JSON as it goes into the picture: without clock and run, at most `LIMIT` bytes.

    Raises: ImageError if even the prompt and the request are too long.
    """
    record = _timeless(record)
    for name, trim in _TRIMS.items():
        if _fits(canonical_json(record)):
            break
        record = trim(record).model_copy(update={"trimmed": (*record.trimmed, name)})
    text = canonical_json(record)
    if not _fits(text):
        raise ImageError(f"the record of this picture is larger than {LIMIT} bytes; use --no-metadata")
    return text


def _fits(text: str) -> bool:
    return len(text.encode()) <= LIMIT


def _timeless(record: Record) -> Record:
    events = tuple(event.model_copy(update={"time": 0.0, "seconds": 0.0}) for event in record.specification.events)
    specification = Specification(prompt=record.specification.prompt, events=events)
    draft = record.draft.model_copy(update={"seconds": 0.0})
    return record.model_copy(update={"run": None, "specification": specification, "draft": draft})


def _without_evidence(record: Record) -> Record:
    verdicts = tuple(verdict.model_copy(update={"evidence": (), "details": {}}) for verdict in record.verdicts)
    return record.model_copy(update={"verdicts": verdicts})


def _declarations_only(record: Record) -> Record:
    whole = record.specification
    bare = Specification(prompt=whole.prompt)
    for event in whole.events:
        if event.declares is not None:
            bare = bare.declare(event.declares, event.cause, time=event.time)
    return record.model_copy(update={"specification": bare})


#: What is left out when a record is too long, least useful first.
_TRIMS: dict[str, Callable[[Record], Record]] = {
    "evidence of verdicts": _without_evidence,
    "events after the declarations": _declarations_only,
}
