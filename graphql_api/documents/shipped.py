"""Which documents does the program itself vouch for? The files in shipped/, read once a process.

`*.graphql` holds one document each, and its text goes by its hash as any other. `*.json` is what a client's build
writes: an object of hash and text. A hash that is not its text's stops the start: the file was damaged or edited.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from domain.documents.model import document_hash

FOLDER = Path(__file__).parent / "shipped"


class DamagedManifest(Exception):
    """A manifest names a hash that is not its text's."""


def shipped_documents(folder: Path = FOLDER) -> Mapping[str, str]:
    """The texts by their hashes."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.graphql")):
        text = path.read_text()
        found[document_hash(text)] = text
    for path in sorted(folder.glob("*.json")):
        manifest: dict[str, str] = json.loads(path.read_text())
        for hash_, text in manifest.items():
            if document_hash(text) != hash_:
                raise DamagedManifest(f"{path.name}: {hash_} is not the SHA-256 of its document")
            found[hash_] = text
    return found
