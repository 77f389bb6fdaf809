"""A PostgreSQL server for tests. It is Debian's, listens on loopback, has its own folder, and is removed afterwards."""

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
    """The folder with initdb and pg_ctl: Debian's newest version, otherwise the one on PATH."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda file: int(file.parts[-3]))
    pg_ctl = str(debian[-1]) if debian else shutil.which("pg_ctl")
    if pg_ctl is None:
        raise FileNotFoundError(MISSING)
    return Path(pg_ctl).parent


class Server:
    """A server with its data in ``folder``. PostgreSQL refuses to run as root, so root runs it as user nobody."""

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
        """Start the server and wait until it answers."""
        self._run("pg_ctl", "start", "--wait", f"--log={self._log}", f"--options={self._options}")

    def kill(self) -> None:
        """Stop the server as a crash would, without writing anything first."""
        self._run("pg_ctl", "stop", "--mode=immediate")

    def url(self, name: str) -> str:
        """The URL of a database, in the form that hosting providers give."""
        return f"postgres://tester@127.0.0.1:{self._port}/{name}"

    def ask(self, statement: str) -> None:
        """Run a statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def bytes(self) -> bytes:
        """The contents of the files of all databases, without the write-ahead log."""
        self.ask("CHECKPOINT")
        return b"".join(file.read_bytes() for file in (self.data / "base").rglob("*") if file.is_file())

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database, which is dropped afterwards."""
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
            stdout=subprocess.DEVNULL,  # not a pipe: the server would keep it open for ever
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            log = self._log.read_text(encoding="utf-8") if self._log.exists() else ""
            raise RuntimeError(f"{program} failed ({done.returncode}). {log}")


@contextmanager
def running_server() -> Iterator[Server]:
    """A started server. It is stopped and its folder deleted afterwards."""
    folder = Path(
        tempfile.mkdtemp(prefix="pg")
    )  # not pytest's folder: when root runs the tests, user nobody cannot enter it
    try:
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)
