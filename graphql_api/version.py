"""Which version is this? That of the distribution, or of pyproject.toml in a source tree that was not installed."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def _find() -> str:
    try:
        return version("tocsin")
    except PackageNotFoundError:
        project = Path(__file__).parent.parent / "pyproject.toml"
        found: str = tomllib.loads(project.read_text())["project"]["version"]
        return found


VERSION = _find()
