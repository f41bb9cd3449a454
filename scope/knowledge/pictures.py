"""Pictures found by what they show: open_clip places words and pictures in one space.

SCOPE_CLIP   a model of open_clip and its weights: "ViT-B-32:weights/vit-b-32.safetensors". A tag in place of the file
             ("ViT-B-32:laion2b_s34b_b79k") lets open_clip download it; nothing else is ever downloaded.

Off unless that is set. The cosine of a picture and the words for it (CLIP: about 0.3) is on another scale than the
cosine of two texts (MiniLM: 0.5 and more). The two are never compared: what is found by sight has a threshold of its
own, and comes behind what is found by words.
"""

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from scope.errors import ScopeError
from scope.files import sha256_of_file
from scope.knowledge.documents import Unreadable, open_picture
from scope.knowledge.store import Store, Vectors
from scope.protocols import Passage
from scope.specification import sha256_of
from scope.text import excerpt

#: Pictures whose cosine with the query is less are not found. From what is published of CLIP models, whose pictures
#: and captions lie near 0.3 and strangers below 0.2; not measured here.
THRESHOLD = 0.25
#: Part of every key: raise it when pictures are read in another way.
FORMAT = 1

_FILES = (".safetensors", ".pt", ".pth", ".bin")  # torch reads the last three as weights only: no code in them runs
_HUB = frozenset({"hf_tokenizer_name", "hf_model_name"})


class EncoderError(ScopeError):
    """Pictures cannot be encoded; they are still found by their captions."""


class ImageTextEncoder(Protocol):
    """An encoder of words and pictures. `name` tells it from every other, weights included."""

    name: str

    def encode_image(self, image: Image.Image) -> Vectors:
        """Return the unit vector (d,) of a picture."""
        ...

    def encode_text(self, text: str) -> Vectors:
        """Return the unit vector (d,) of words."""
        ...


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture, and the passage that is found by them."""

    data: bytes
    passage: Passage


class ImageIndex:
    """Passages of pictures and the unit vectors (n, d) of what they show. `notes` says what could not be encoded."""

    def __init__(
        self, encoder: ImageTextEncoder, passages: Sequence[Passage], vectors: Sequence[Vectors], notes: list[str]
    ) -> None:
        self.passages, self.notes = tuple(passages), notes
        self._encoder, self._vectors = encoder, vectors

    def search(self, query: str, count: int) -> list[Passage]:
        """Return the pictures that show what is asked, best first; of equals the earlier. What goes wrong is noted."""
        if not self.passages or count < 1:
            return []
        try:
            scores = np.stack(self._vectors) @ self._encoder.encode_text(query)
        except Exception as error:  # of whatever runs the model; words still find what they find
            self.notes.append(f"pictures could not be searched by sight ({type(error).__name__})")
            return []
        best = [i for i in np.argsort(-scores, kind="stable")[:count] if scores[i] >= THRESHOLD]
        return [self.passages[i].model_copy(update={"score": round(float(scores[i]), 4)}) for i in best]


def build_image_index(pictures: Iterable[Picture], encoder: ImageTextEncoder, store: Store) -> ImageIndex:
    """Return the index of pictures by what they show. Only one that is new or has changed is encoded.

    What cannot be read is noted; what is stored of other pictures is forgotten.
    """
    passages: list[Passage] = []
    vectors: list[Vectors] = []
    keys, notes = [], []
    for picture in pictures:
        key = sha256_of([FORMAT, encoder.name, picture.passage.source.sha256])
        stored = store.get(key)
        try:
            vector = stored[1] if stored is not None else _encoded(picture, encoder)
        except Unreadable as error:
            notes.append(str(error))
            continue
        if stored is None:
            store.put(key, [], vector)
        keys.append(key)
        passages.append(picture.passage)
        vectors.append(vector)
    store.keep(keys)
    return ImageIndex(encoder, passages, vectors, notes + store.notes)


def _encoded(picture: Picture, encoder: ImageTextEncoder) -> Vectors:
    where = picture.passage.source.image or ""
    image = open_picture(picture.data, where).convert("RGB")
    try:
        return encoder.encode_image(image)
    except Exception as error:  # of whatever runs the model
        raise Unreadable(f"{where}: could not be encoded ({type(error).__name__})") from error


# -- open_clip -----------------------------------------------------------------------------------


def load_encoder(environment: Mapping[str, str] | None = None) -> ImageTextEncoder | None:
    """Return what SCOPE_CLIP of `environment` (None: of this process) names; None: it is not set.

    Raises: EncoderError if it cannot be used.
    """
    named = (os.environ if environment is None else environment).get("SCOPE_CLIP", "").strip()
    if not named:
        return None
    model, _, weights = named.partition(":")
    if not model or not weights:
        raise EncoderError(f"SCOPE_CLIP={named!r}: write a model and its weights, such as ViT-B-32:weights.safetensors")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # others' deprecations
            warnings.filterwarnings("error", "QuickGELU mismatch")  # but this one means that the vectors are wrong
            return OpenClip(model, weights)
    except ImportError as error:
        advice = "install scope-t2i[clip]"
        raise EncoderError(f"SCOPE_CLIP: open_clip cannot be imported ({excerpt(error)}); {advice}") from error
    except EncoderError:
        raise
    except Exception as error:  # a torchvision that does not fit torch, or files that hold anything
        why = excerpt(str(error).partition("\n")[0])
        raise EncoderError(f"SCOPE_CLIP={named!r} cannot be used ({type(error).__name__}: {why})") from error


class OpenClip:
    """A model of open_clip on the CPU, as `ImageTextEncoder`.

    Raises: EncoderError if there are no such weights, or they need files that would be downloaded; and whatever
        open_clip raises.
    """

    def __init__(self, model: str, weights: str) -> None:
        import open_clip

        file = _file(model, weights)
        self._model, self._pixels = open_clip.create_model_from_pretrained(
            model, pretrained=str(file) if weights.endswith(_FILES) else weights, weights_only=True
        )
        self._model.eval()
        self._tokens = open_clip.get_tokenizer(model)
        self.name = f"open_clip/{model}/{sha256_of_file(file)}"
        self.encode_text("a picture")  # what cannot read is found out here, and not in the middle of a run

    def encode_image(self, image: Image.Image) -> Vectors:
        """Return the unit vector (d,) of a picture."""
        return self._vector("encode_image", self._pixels(image).unsqueeze(0))

    def encode_text(self, text: str) -> Vectors:
        """Return the unit vector (d,) of words; what exceeds the model's context (77 tokens) is not read."""
        return self._vector("encode_text", self._tokens([text]))

    def _vector(self, encode: str, batch: object) -> Vectors:
        import torch

        with torch.inference_mode():
            vector: Vectors = getattr(self._model, encode)(batch, normalize=True)[0].float().numpy()
        return vector


def _file(model: str, weights: str) -> Path:
    """Return the file of weights; that of a tag is downloaded if it is not there.

    Raises: EncoderError if there is none, or if the model needs files that a path does not name.
    """
    import open_clip

    config = open_clip.get_model_config(model)
    if config is None:
        raise EncoderError(f"SCOPE_CLIP: open_clip has no model {model!r}; it has ViT-B-32, RN50 and others")
    if not weights.endswith(_FILES):
        if weights not in open_clip.list_pretrained_tags_by_model(model):
            raise EncoderError(f"SCOPE_CLIP: {weights!r} is neither a tag of {model} nor a file ({', '.join(_FILES)})")
        return Path(open_clip.download_pretrained(open_clip.get_pretrained_cfg(model, weights)))
    if _HUB & config["text_cfg"].keys() or "siglip" in model.lower():
        raise EncoderError(f"SCOPE_CLIP: {model} downloads its tokenizer; name a tag instead of a file to allow that")
    if not Path(weights).is_file():
        raise EncoderError(f"SCOPE_CLIP: there is no file {weights!r}")
    return Path(weights)
