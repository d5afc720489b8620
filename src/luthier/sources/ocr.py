"""Readers of pictures: a function from a picture (PIL) to its text, by name; none of them is installed with us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from luthier.errors import SpecError
from luthier.records.documents import Document
from luthier.registry import Registry
from luthier.sources.raw import Raw, UnreadableError
from luthier.sources.writer import Writer

Ocr = Callable[[Any], str]
READERS = Registry("luthier.ocr", {"tesseract": "luthier.sources.ocr:tesseract"})
_MOST_PIXELS = 100_000_000


def open_ocr(name: str) -> Ocr:
    """Returns the reader called `name`. `SpecError` says the line that installs it where it is not there."""
    reader: Ocr = READERS.load(name)
    return reader


def check_ocr(name: str) -> None:
    """Raises `SpecError` where the reader called `name` cannot be used here."""
    open_ocr(name)
    if name == "tesseract":
        _tesseract()


def tesseract(picture: Any) -> str:
    """Returns what Tesseract reads."""
    return str(_tesseract().image_to_string(picture))


def _tesseract() -> Any:
    try:
        import pytesseract

        pytesseract.get_tesseract_version()
    except Exception:  # its own error is not ours to name where it is not installed
        remedy = "pip install pytesseract && apt-get install tesseract-ocr (macOS: brew install tesseract)"
        raise SpecError("Tesseract is not installed", where="--ocr tesseract", remedy=remedy, param="ocr") from None
    return pytesseract


def read_picture(raw: Raw) -> Document:
    """Returns the text on a picture, where a reader is named."""
    import io

    if not raw.ocr:
        raise UnreadableError("is a picture", remedy="give --ocr tesseract to read pictures")
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
    try:
        with Image.open(io.BytesIO(raw.data)) as picture:
            text = open_ocr(raw.ocr)(picture)
    except (OSError, Image.DecompressionBombError) as error:
        raise UnreadableError(f"is not a picture that can be read: {error}") from None
    writer = Writer()
    writer.text(text)
    return writer.document(raw)
