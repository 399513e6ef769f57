"""The servers' programs, downloaded once per version and kept outside the tree.

A version is in the cache whole or not at all: it is fetched into a folder beside its place and renamed.
A lock, which the kernel frees when its holder dies, lets one process fetch while others wait.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.maven import run_goal
from stack.progress import say

POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId><artifactId>runtime</artifactId><version>1</version>
  <dependencies>{dependencies}</dependencies>
</project>
"""
DEPENDENCY = """
    <dependency>
      <groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>
    </dependency>"""
# The smallest binding that makes a server's log visible; Kafka 4 is built on slf4j 1.7.
LOG_BINDING = DEPENDENCY.format(group="org.slf4j", artifact="slf4j-simple", version="1.7.36")


def cache_folder() -> Path:
    """The folder that outlives clones and test runs (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "immersiverse-auth-events"


def kafka_libraries(version: str) -> Path:
    """A folder with every jar that an Apache Kafka broker needs (about 45 MB)."""

    artifacts = ("kafka_2.13", "kafka-server")
    return cached(f"kafka-{version}", lambda folder: _copy_jars(folder, version, *artifacts))


def connect_libraries(version: str) -> Path:
    """A folder with every jar that a worker of Kafka Connect needs (about 35 MB)."""
    return cached(f"kafka-connect-{version}", lambda folder: _copy_jars(folder, version, "connect-runtime"))


def debezium_plugin(version: str) -> Path:
    """A folder with Debezium's PostgreSQL connector, for a worker's ``plugin.path`` (about 30 MB)."""

    def fetch(folder: Path) -> None:
        artifact = f"io.debezium:debezium-connector-postgres:{version}:tar.gz:plugin"
        run_goal("unpack", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}", cwd=folder)
        shutil.rmtree(folder / "${project.basedir}", ignore_errors=True)

    return cached(f"debezium-postgres-{version}", fetch)


def apicurio_home(version: str) -> Path:
    """A folder with the unpacked Apicurio Registry (about 160 MB)."""

    def fetch(folder: Path) -> None:
        artifact = f"io.apicurio:apicurio-registry-app:{version}:tar.gz:all"
        run_goal(
            "unpack",
            f"-Dartifact={artifact}",
            f"-DoutputDirectory={folder}",
            cwd=folder,
        )
        shutil.rmtree(
            folder / "${project.basedir}", ignore_errors=True
        )  # the plugin's notes, outside a project

    return cached(f"apicurio-registry-{version}", fetch)


def _copy_jars(folder: Path, version: str, *artifacts: str) -> None:
    """Copy Kafka's artifacts, with what they depend on and a log, into a folder."""
    wanted = [
        DEPENDENCY.format(group="org.apache.kafka", artifact=each, version=version) for each in artifacts
    ]
    pom = folder.with_suffix(".pom.xml")
    pom.write_text(POM.format(dependencies="".join([*wanted, LOG_BINDING])))
    where = ("-f", str(pom), f"-DoutputDirectory={folder}")
    run_goal("copy-dependencies", *where, "-DincludeScope=runtime", cwd=folder.parent)
    pom.unlink()


def cached(name: str, fetch: Callable[[Path], None]) -> Path:
    """The folder of this name in the cache; `fetch` fills it first if it is not there."""
    target = cache_folder() / name
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target.parent / f"{name}.lock"):
            if not target.is_dir():
                _fetch_whole(target, fetch)
    return target


def _fetch_whole(target: Path, fetch: Callable[[Path], None]) -> None:
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a download that was killed
    partial.mkdir()
    say(f"{target.name}: downloading, once, to {target.parent}")
    began = time.monotonic()
    fetch(partial)
    partial.rename(target)
    say(f"{target.name}: downloaded in {time.monotonic() - began:.0f} s")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
