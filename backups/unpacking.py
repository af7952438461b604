"""A base backup on disk again, every file compared with the manifest that PostgreSQL wrote of it."""

import gzip
import hashlib
import json
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from domain.backups import CannotRestore

_CHUNK_BYTES: Final = 1 << 20
_WAL_FOLDER: Final = "pg_wal"


@dataclass(frozen=True, slots=True)
class _Expected:
    bytes: int
    sha256: str


def unpack_base(packed: Path, data: Path) -> None:
    """`packed` holds base.tar.gz, pg_wal.tar.gz and backup_manifest. Raise CannotRestore."""
    manifest = packed / "backup_manifest"
    expected = _expected(manifest)
    data.mkdir(mode=0o700)
    found = _unpack(packed / "base.tar.gz", data)
    wrong = [name for name, facts in expected.items() if found.get(name) != facts]
    if wrong:
        raise CannotRestore(f"the base backup is damaged: {len(wrong)} files, the first is {wrong[0]}")
    _unpack(packed / "pg_wal.tar.gz", data / _WAL_FOLDER)
    shutil.copy(manifest, data / manifest.name)


def unpack_wal(packed: Path, path: Path) -> None:
    try:
        with gzip.open(packed) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise CannotRestore(f"WAL {path.name} is damaged under BACKUP_URL") from None


def _expected(manifest: Path) -> dict[str, _Expected]:
    try:
        files = json.loads(manifest.read_text())["Files"]
        named = (each for each in files if "Path" in each)
        return {each["Path"]: _Expected(each["Size"], each["Checksum"]) for each in named}
    except (ValueError, KeyError, TypeError):
        raise CannotRestore(f"the base backup is damaged: {manifest.name} cannot be read") from None


def _unpack(archive: Path, folder: Path) -> dict[str, _Expected]:
    folder.mkdir(mode=0o700, exist_ok=True)
    found: dict[str, _Expected] = {}
    try:
        # PostgreSQL writes several gzip members; tarfile's own reader stops after the first.
        with gzip.open(archive) as unzipped, tarfile.open(fileobj=unzipped, mode="r|") as members:
            for member in members:
                path = folder / _inside(member.name)
                if member.isdir():
                    path.mkdir(mode=0o700, exist_ok=True)
                elif (content := members.extractfile(member)) is not None:
                    found[member.name.removeprefix("./")] = _write(content, path)
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of this machine
        raise CannotRestore(f"the base backup is damaged: {archive.name} cannot be unpacked") from None
    return found


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise CannotRestore(f"the base backup is damaged: it holds {name}")
    return path


def _write(content: IO[bytes], path: Path) -> _Expected:
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as target:
        while chunk := content.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += target.write(chunk)
    path.chmod(0o600)
    return _Expected(size, digest.hexdigest())
