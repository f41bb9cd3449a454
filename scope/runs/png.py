"""The picture as a record: what was asked, what was drawn and how, inside the PNG and beside it.

A PNG carries three texts, and no clock and no run, so that the same request gives the same bytes at any time:

- iTXt `scope`: the `Record` below, at most `LIMIT` bytes of JSON. A longer one is trimmed in the order of `_TRIMS`
  and says so in `trimmed`; the sidecar `NAME.png.json` is always whole.
- tEXt or iTXt `parameters`: the line that AUTOMATIC1111 and its viewers read.
- iTXt `XML:com.adobe.xmp`: IPTC's digital source type "trained algorithmic media" (this picture is synthetic).

A record holds the sha256 of the pixels that were judged: of a picture with other pixels it proves nothing, and `tied`
refuses it. A record is no signature: whoever writes both can make them agree.
"""

import io
import json
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path, PurePath
from typing import Any, Literal

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from pydantic import ConfigDict, Field, ValidationError

from scope.errors import ImageError, StateCorrupt
from scope.files import check_ours, read_file, write_atomic
from scope.runs.marks import is_record, sidecar
from scope.runs.store import MAX_PICTURE, SCHEMA, Run, schema_of
from scope.specification import Draft, Model, Specification, Verdict, answers, canonical_json, fold
from scope.text import excerpt

LIMIT = 256 * 1024  # bytes of JSON in the picture
MAX_PIXELS = 40_000_000

#: What is said of a picture whose record is of other pixels.
OTHER_PIXELS = "these pixels are not those that were judged"

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
    #: `sha256_of_pixels` of what was judged; None: in a record of an older scope.
    pixels: str | None = Field(default=None, exclude_if=lambda pixels: pixels is None)
    specification: Specification
    draft: Draft
    verdicts: tuple[Verdict, ...] = ()
    options: dict[str, Any] = {}
    weights: dict[str, str] = {}  # file name -> sha256
    versions: dict[str, str] = {}  # package -> version
    trimmed: tuple[str, ...] = ()  # what did not fit into the picture


def save_png(path: Path, image: Image.Image, record: Record | None) -> None:
    """Write a picture and, beside it, its whole record; None: the bare picture, and no sidecar.

    Raises: OutputError if a file cannot be written, or a record of somebody else lies in the way of ours; what was
    there before is then untouched.
    """
    if record is not None:
        whole = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n"
        check_ours(sidecar(path), is_record)
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


def sha256_of_pixels(image: Image.Image) -> str:
    """Return the hex sha256 of a picture's size and RGB pixels, however its file is packed."""
    rgb = image.convert("RGB")
    return sha256(f"{rgb.width}x{rgb.height}:".encode() + rgb.tobytes()).hexdigest()


def tied(path: Path) -> Record:
    """Return the record inside a PNG, of whose pixels it speaks.

    Raises: ImageError if it speaks of others; or as of `read_record`.
    """
    record = read_record(path)
    if not is_tied(record, path):
        raise ImageError(
            f"{path}: {OTHER_PIXELS}: the picture was changed since, or the record is that of another, and proves "
            "nothing of this one"
        )
    return record


def is_tied(record: Record, path: Path) -> bool:
    """Return whether a record speaks of the pixels of a PNG.

    One of an older scope names the file that was judged; the same pixels make the same file again with the same Pillow.
    """
    image = open_png(path)
    if record.pixels is not None:
        return record.pixels == sha256_of_pixels(image)
    return record.draft.sha256 == sha256(png_bytes(image, None)).hexdigest()


def read_record(path: Path) -> Record:
    """Return the record inside a PNG. The file is not trusted, nor need its pixels be those of the record.

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
        raise ImageError(f"{path}: its record is damaged: {excerpt(error)}") from error
    except ValidationError as error:
        schema = schema_of(error)
        if schema is not None:
            raise ImageError(
                f"the record in {path} is of schema {schema}, which this scope does not read (it reads {SCHEMA})"
            ) from error
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "record"
        raise ImageError(f"{path}: its record is damaged at {excerpt(where)}: {excerpt(first['msg'])}") from error


def open_png(path: Path) -> Image.Image:
    """Return a PNG, fully decoded, whatever the file is named.

    Raises: ImageError if it cannot be read, is no PNG, or is larger than `MAX_PICTURE` or `MAX_PIXELS`.
    """
    return _opened(path, ("PNG",))


def open_draft(run: Run, draft: Draft) -> Image.Image:
    """Return the picture of a draft, which its verdicts speak of.

    Raises: StateCorrupt if its file is gone or is not the one that was made; ImageError as of `open_png`.
    """
    return _decoded(run.folder / draft.path, run.picture(draft.path, draft.sha256), ("PNG",))


def open_picture(path: Path, transparent: bool = False) -> Image.Image:
    """Return someone's picture in RGB, upright: PNG, JPEG or WebP, in colour or grey, of 8 bits, without transparency.

    Where it may be `transparent` in places and is, it is in RGBA.

    Raises: ImageError if it is anything else, cannot be read, or is larger than `MAX_PICTURE` or `MAX_PIXELS`.
    """
    image = _opened(path, ("PNG", "JPEG", "WEBP"))
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
        if transparent:
            return _upright(image.convert("RGBA"))
        raise ImageError(f"{path}: transparent in places; put it on a background first")
    if image.mode not in _LOSSLESS:
        raise ImageError(f"{path}: its pixels are {image.mode}, not 8-bit RGB or grey; convert it to RGB first")
    return _upright(image.convert("RGB"))


def _upright(image: Image.Image) -> Image.Image:
    """Return a picture turned as its EXIF says; where that is damaged, as it is."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a hostile file makes Pillow raise almost anything
        return image


#: What Pillow turns into RGB without choosing anything.
_LOSSLESS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX")


def _opened(path: Path, formats: tuple[str, ...]) -> Image.Image:
    try:
        data = read_file(path, MAX_PICTURE)
    except FileNotFoundError as error:
        raise ImageError(f"{path}: there is no such file") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from error
    return _decoded(path, data, formats)


def _decoded(path: Path, data: bytes, formats: tuple[str, ...]) -> Image.Image:
    """Return the picture that the bytes of a file hold.

    Raises: ImageError as of `open_png`.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of pictures that unpack to gigabytes
            image = Image.open(io.BytesIO(data), formats=formats)
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"{path}: {image.width} x {image.height} pixels are too many")
            image.load()
    except ImageError:
        raise
    except Exception as error:  # a hostile file makes Pillow raise almost anything
        kinds = formats[0] if len(formats) == 1 else f"{', '.join(formats[:-1])} or {formats[-1]}"
        raise ImageError(f"{path}: not a {kinds} that can be read ({excerpt(error)})") from error
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
    return record.model_copy(
        update={"run": None, "specification": specification, "draft": draft, "options": _placeless(record.options)}
    )


def _placeless(options: dict[str, Any]) -> dict[str, Any]:
    """Return options without the folders of this machine, which nobody who gets the picture needs to know."""
    folders, references = options.get("knowledge"), options.get("reference")
    if isinstance(folders, list):
        options = options | {"knowledge": [PurePath(str(folder)).name for folder in folders]}
    if isinstance(references, list):
        named = [str(reference).rpartition("=") for reference in references]
        options = options | {"reference": [f"{name}={PurePath(path).name}" for name, _, path in named]}
    return options


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
