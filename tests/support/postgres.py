"""A PostgreSQL server for tests: Debian's, in a folder of its own, on loopback, gone when they are."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

MISSING = "The tests need PostgreSQL's server: run `make postgres`, or `apt-get install postgresql` as root."


def programs() -> Path:
    """The folder with initdb and pg_ctl: the newest of Debian's, else where the path finds them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[-3]))
    found = str(debian[-1]) if debian else shutil.which("pg_ctl")
    if found is None:
        raise FileNotFoundError(MISSING)
    return Path(found).parent


class Server:
    """A server whose data are in ``folder``. It refuses root, so root runs it as somebody else."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        self._programs = programs()
        self._user = "nobody" if os.getuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._run("initdb", "--username=tester", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        self._options = f"-h 127.0.0.1 -p {self._port} -k {folder} -c fsync=on"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("pg_ctl", "start", "--wait", f"--log={self._log}", f"--options={self._options}")

    def kill(self) -> None:
        """Stop it as a crash would: nothing is written first."""
        self._run("pg_ctl", "stop", "--mode=immediate")

    def url(self, name: str) -> str:
        """The address of one of its databases, as hosts give it."""
        return f"postgres://tester@127.0.0.1:{self._port}/{name}"

    def ask(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def bytes(self) -> bytes:
        """What the files of all its databases hold, its log of changes aside."""
        self.ask("CHECKPOINT")
        return b"".join(file.read_bytes() for file in (self.data / "base").rglob("*") if file.is_file())

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of an empty database, dropped afterwards."""
        name = f"test_{uuid.uuid4().hex}"
        self.ask(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.ask(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
            [self._programs / program, "--pgdata", self.data, *options],
            user=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server keeps it open: a pipe would never end
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            said = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
            raise RuntimeError(f"{program} failed ({done.returncode}). {said}")


@contextmanager
def served() -> Iterator[Server]:
    """A server, started."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # not pytest's: nobody but root may look into root's
    try:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)
