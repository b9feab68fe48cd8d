"""The apps' images: folders with an app and its library, so that what is measured is what runs."""

import shutil
from pathlib import Path

from deploy.demo.processes import DemoError

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).resolve().parent / "apps"
SDK = ("attestation", "enclave_client", "ledger", "sealedger")


def make_image(folder: Path, app: str) -> Path:
    """The image of an app, made in `folder`."""
    image = folder / app
    image.mkdir(parents=True)
    for package in SDK:
        shutil.copytree(ROOT / package, image / package)
    for name in (f"{app}.py", f"{app}.toml"):
        shutil.copy2(APPS / name, image / name)
    return image


def alter(image: Path) -> Path:
    """A copy of the reader's image with one byte changed."""
    altered = image.with_name("altered")
    shutil.copytree(image, altered)
    code = (altered / "reader.py").read_bytes()
    changed = code.replace(b"SHOW_SECRETS = 0", b"SHOW_SECRETS = 1", 1)
    if sum(a != b for a, b in zip(code, changed, strict=True)) != 1:
        raise DemoError("the altered reader does not differ by exactly one byte")
    (altered / "reader.py").write_bytes(changed)
    return altered


def manifest(image: Path) -> Path:
    """The manifest in an image."""
    return next(image.glob("*.toml"))
