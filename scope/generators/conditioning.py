"""What the embedded generators read of a request."""

from scope.models.text_encoder import Conditioning, TextInput, check_length, encode
from scope.specification import Request


def encode_request(request: Request) -> Conditioning:
    """Return the text of a request, encoded (a batch of one), with which characters belong to which entity.

    Raises: PromptError if the text is longer than the encoder reads.
    """
    check_length(request.text)
    spans = tuple((b.span.start, b.span.end, b.group) for b in request.bindings if b.group > 0)
    return encode([TextInput(request.text, spans, request.quoted)])
