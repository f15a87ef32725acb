"""What the small Hub keeps: content by SHA-256, repositories, commits, refs; in memory but for the content."""

import base64
import hashlib
import json
import re
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import yaml

ATTRIBUTES = "".join(f"*.{end} filter=lfs diff=lfs merge=lfs -text\n" for end in ("parquet", "arrow", "bin", "png"))
INLINE_BELOW = 10 * 2**20  # bytes; larger files must come by LFS or Xet


class Refusal(Exception):
    """An answer that is no success: status, words, and the code that the clients look for."""

    def __init__(self, status: int, words: str, code: str = "", **more: str) -> None:
        super().__init__(words)
        self.status, self.words, self.code, self.more = status, words, code, more


@dataclass(frozen=True)
class File:
    """A file of a commit, with git's name of it."""

    oid: str
    sha256: str
    size: int
    lfs: bool

    def told(self, path: str) -> dict[str, object]:
        """The file as listings have it."""
        lfs = {"oid": self.sha256, "size": self.size, "pointerSize": len(pointer(self.sha256, self.size))}
        return {"type": "file", "path": path, "oid": self.oid, "size": self.size} | ({"lfs": lfs} if self.lfs else {})


@dataclass(frozen=True)
class Commit:
    """A commit with all its files."""

    oid: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    files: dict[str, File]


@dataclass
class Repo:
    """A dataset repository."""

    id: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def resolve(self, revision: str) -> Commit:
        """The commit that a branch, tag or the beginning of a commit's name stands for."""
        oid = self.heads.get(revision) or self.tags.get(revision)
        if not oid and re.fullmatch(r"[0-9a-f]{7,40}", revision):
            oid = next((name for name in self.commits if name.startswith(revision)), None)
        if not oid:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return self.commits[oid]


def git_name(kind: str, data: bytes) -> str:
    """The SHA-1 by which git knows an object."""
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """What git keeps of a file in LFS."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def front(card: str) -> dict[str, object]:
    """The YAML of a card; ValueError if it is none."""
    match = re.match(r"^\s*---[\r\n]+(.*?)[\r\n]+---(?:\r?\n|$)", card, re.DOTALL)
    try:
        data = yaml.safe_load(match[1]) if match else {}
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    if not isinstance(data, dict):
        raise ValueError("the metadata of a card are a table")
    for config in data.get("configs", []):
        if not isinstance(config, dict) or "config_name" not in config:
            raise ValueError('"configs" must be a list of tables with "config_name"')
    return data


class Store:
    """All that the Hub keeps. Commits and refs change under one lock, so each is seen whole or not at all."""

    def __init__(self, folder: Path, xet: bool = False) -> None:
        self.folder, self.xet = folder, xet
        self.lock = threading.RLock()
        self.repos: dict[str, Repo] = {}
        self.xet_files: dict[str, tuple[str, int, list[tuple[str, int, int, int]]]] = {}
        for name in ("objects", "xorbs"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    # Content

    def content(self, sha256: str) -> Path:
        """Where the bytes of this digest lie."""
        return self.folder / "objects" / sha256

    def keep(self, data: bytes) -> str:
        """Keep bytes; their SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        part = self.folder / "objects" / f".{threading.get_ident()}-{time.monotonic_ns()}"
        part.write_bytes(data)
        part.replace(self.content(sha256))
        return sha256

    # Commits

    def create(self, repo_id: str, private: bool) -> Repo:
        """A new repository with its first commit."""
        with self.lock:
            repo = self.repos[repo_id] = Repo(repo_id, private)
            attributes = ATTRIBUTES.encode()
            file = File(git_name("blob", attributes), self.keep(attributes), len(attributes), False)
            self._add(repo, None, {".gitattributes": file}, "initial commit", "", "system")
            return repo

    def _add(self, repo: Repo, parent: str | None, files: dict[str, File], *words: str) -> str:
        date = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        listed = json.dumps([parent, words, len(repo.commits), {path: file.oid for path, file in files.items()}])
        oid = git_name("commit", listed.encode())
        title, message, author = words
        repo.commits[oid] = Commit(oid, parent, title, message, author, date, dict(sorted(files.items())))
        repo.heads["main"] = oid
        return oid

    def commit(self, repo: Repo, branch: str, lines: bytes, author: str) -> str:
        """Make one commit of what the client sent, all of it or nothing; the commit's name."""
        header, *changes = (json.loads(line) for line in lines.splitlines() if line.strip())
        if header["key"] != "header" or not header["value"].get("summary"):
            raise Refusal(400, "missing header.summary")
        written = {c["value"]["path"]: self._file(c) for c in changes if c["key"] in ("file", "lfsFile")}
        for path in written:
            if not path or path.startswith("/") or {"", ".", "..", ".git"} & set(path.split("/")):
                raise Refusal(400, f"invalid path {path}")
        with self.lock:
            if branch not in repo.heads:
                raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            head = repo.heads[branch]
            if (parent := header["value"].get("parentCommit")) and not head.startswith(parent):
                raise Refusal(412, "A commit has happened since. Please refresh and try again.")
            files = dict(repo.commits[head].files)
            for change in changes:
                if change["key"] == "deletedFile" and files.pop(change["value"]["path"], None) is None:
                    raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
            words = (header["value"]["summary"], header["value"].get("description", ""), author)
            return self._add(repo, head, files | written, *words)

    def _file(self, change: dict[str, dict[str, str]]) -> File:
        value = change["value"]
        if change["key"] == "lfsFile":
            if not self.has(value["oid"]):
                raise Refusal(400, f"LFS object {value['oid']} of {value['path']} was not uploaded")
            size = self.content(value["oid"]).stat().st_size
            return File(git_name("blob", pointer(value["oid"], size)), value["oid"], size, True)
        data = base64.b64decode(value["content"])
        if len(data) >= INLINE_BELOW:
            raise Refusal(413, "too large for a commit")
        if value["path"] == "README.md":
            try:
                front(data.decode())
            except ValueError as error:
                raise Refusal(400, f"Invalid metadata in README.md: {error}") from None
        return File(git_name("blob", data), self.keep(data), len(data), False)

    # Xet: chunks in xorbs, and files as rows of chunks

    def has(self, sha256: str) -> bool:
        """Whether a file was uploaded; one that came by Xet is put together, and must be what it says."""
        if self.content(sha256).exists():
            return True
        for digest, _, terms in self.xet_files.values():
            if digest == sha256:
                data = b"".join(self._chunks(xorb, first, last) for xorb, _, first, last in terms)
                if self.keep(data) != sha256:
                    raise Refusal(400, f"the chunks of {sha256} are another file")
                return True
        return False

    def xet_name(self, sha256: str) -> str | None:
        """The name that Xet has for a file."""
        return next((name for name, (digest, _, _) in self.xet_files.items() if digest == sha256), None)

    def add_shard(self, shard: bytes) -> None:
        """Take the files that a shard describes; their xorbs must be there."""
        for name, sha256, size, terms in _described(shard):
            for xorb, *_ in terms:
                if not (self.folder / "xorbs" / xorb).exists():
                    raise Refusal(400, f"xorb {xorb} is missing")
            self.xet_files[name] = (sha256, size, terms)

    def places(self, xorb: str) -> tuple[bytes, list[tuple[int, int, int, int]]]:
        """The bytes of a xorb, and of each chunk its offset, length, compression and length when unpacked."""
        data, found, at = (self.folder / "xorbs" / xorb).read_bytes(), [], 0
        while at + 8 <= len(data) and data[at] == 0:
            packed, raw = (int.from_bytes(data[at + n : at + n + 3], "little") for n in (1, 5))
            found.append((at, packed, data[at + 4], raw))
            at += 8 + packed
        return data, found

    def _chunks(self, xorb: str, first: int, last: int) -> bytes:
        data, found = self.places(xorb)
        return b"".join(_unpacked(data[at + 8 : at + 8 + n], kind, raw) for at, n, kind, raw in found[first:last])


def _unpacked(chunk: bytes, kind: int, raw: int) -> bytes:
    """A chunk as it was: kept as it is, or LZ4, or LZ4 of its bytes in four groups."""
    if kind:
        chunk = pa.decompress(chunk, decompressed_size=raw, codec="lz4", asbytes=True)
    if kind != 2:
        return chunk
    whole, at = bytearray(raw), 0
    for group in range(4):
        num = len(range(group, raw, 4))
        whole[group::4] = chunk[at : at + num]
        at += num
    return bytes(whole)


def _described(shard: bytes) -> Iterator[tuple[str, str, int, list[tuple[str, int, int, int]]]]:
    """The files of a shard: name, SHA-256, size, and (xorb, bytes, first chunk, chunk after the last) in order."""
    at = 48
    while shard[at : at + 32] != b"\xff" * 32:
        name, flags, num = shard[at : at + 32], *struct.unpack_from("<II", shard, at + 32)
        rows = [shard[at + 48 * (n + 1) :][:48] for n in range(num)]
        at += 48 * (num + 1) + (48 * num if flags & 1 << 31 else 0)
        sha256 = shard[at : at + 32] if flags & 1 << 30 else b"\0" * 32
        at += 48 if flags & 1 << 30 else 0
        terms = [(_hex(row[:32]), *struct.unpack_from("<III", row, 36)) for row in rows]
        yield _hex(name), _hex(sha256), sum(term[1] for term in terms), terms


def _hex(raw: bytes) -> str:
    """A digest as Xet spells it: four numbers of eight bytes, the lowest byte first."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))
