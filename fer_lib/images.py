"""Reading face images from folders and zip files, with an error that names the file that is wrong."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from fer_lib.faces import SIZE, DataError


def read_members(file: Path, suffix: str) -> dict[str, bytes]:
    """The zip's members that end in `suffix`, by name. Raises DataError if the zip is cut short or broken."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [n for n in archive.namelist() if n.lower().endswith(suffix) and not n.startswith("__MACOSX")]
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(f"{file} is not a whole zip file ({error}); download it again") from error


def decode(name: str, content: bytes) -> Image.Image:
    """The image, fully read. Raises DataError if it is truncated or no image."""
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except (OSError, SyntaxError) as error:
        raise DataError(f"{name} cannot be read as an image ({error}); unpack or download it again") from error
    return image


def grey_face(name: str, content: bytes) -> np.ndarray:
    """A face image as uint8 (48, 48). Raises DataError if it has another size or is not 8-bit grey."""
    image = decode(name, content)
    if image.mode != "L" or image.size != (SIZE, SIZE):
        found = f"{image.width}x{image.height} in mode {image.mode}"
        raise DataError(f"{name} is {found}; wanted is {SIZE}x{SIZE} in mode L (8-bit grey): take the original files")
    return np.asarray(image)
