"""A small Hub on 127.0.0.1 for the unmodified clients: it refuses what the Hub refuses, and fails when it is told to.

`python tests/hub/server.py FOLDER [--port N] [--xet]` runs it alone; it prints its address.
"""

import argparse
import base64
import fnmatch
import hashlib
import hmac
import json
import re
import secrets
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from store import INLINE_BELOW, Refusal, Repo, Store, front

TOKENS = {  # the people of this Hub
    "hf_alice": {"name": "alice", "role": "write", "orgs": ("org",)},
    "hf_bob": {"name": "bob", "role": "write", "orgs": ("org",)},
    "hf_reader": {"name": "rita", "role": "read", "orgs": ("org",)},
    "hf_mallory": {"name": "mallory", "role": "write", "orgs": ()},
}
PAGE = 20  # entries; small, so that the clients must turn pages
Fault = Callable[["Request"], "Answer | str | None"]  # an answer instead; "drop" before, "lose" after it is done


@dataclass
class Request:
    """What a client asks."""

    method: str
    path: str  # as it was sent
    query: dict[str, str]
    headers: Any
    body: bytes
    user: dict[str, Any] | None = None


@dataclass
class Answer:
    """What it is answered."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None


class Hub:
    """The server with its store; `faults` are asked before each request, `seen` are the requests so far."""

    def __init__(self, folder: Path, port: int = 0, xet: bool = False) -> None:
        self.store, self.key = Store(folder, xet), secrets.token_bytes(16)
        self.seen: list[str] = []
        self.faults: list[Fault] = []
        self.httpd = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (Handler,), {"hub": self}))
        self.httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.httpd.server_port}"

    def start(self) -> "Hub":
        """Serve in a thread."""
        threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Serve no more."""
        self.httpd.shutdown()
        self.httpd.server_close()

    def sign(self, *parts: object) -> str:
        """What shows that this Hub gave out an address."""
        return hmac.new(self.key, "|".join(map(str, parts)).encode(), "sha256").hexdigest()[:32]

    def answer(self, request: Request) -> Answer:
        """The answer to a request, or the refusal."""
        try:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if token and not request.path.startswith(("/_", "/v1/")):
                if token not in TOKENS:
                    raise Refusal(401, "Invalid credentials in Authorization header")
                request.user = TOKENS[token]
            for methods, pattern, serve in ROUTES:
                if request.method in methods.split() and (match := re.fullmatch(pattern, request.path)):
                    return serve(self, request, *(unquote(part or "") for part in match.groups()))
            raise Refusal(404, "Sorry, we can't find the page you are looking for.")
        except Refusal as refusal:
            headers = {"X-Error-Message": refusal.words} | ({"X-Error-Code": refusal.code} if refusal.code else {})
            more = {key: value for key, value in refusal.more.items() if key != "commit"}
            headers |= {"X-Repo-Commit": refusal.more["commit"]} if "commit" in refusal.more else {}
            return as_json({"error": refusal.words, **more}, refusal.status, **headers)

    def repo(self, request: Request, repo_id: str, write: bool = False) -> Repo:
        """A repository that the user may read, or write to."""
        repo, user = self.store.repos.get(repo_id), request.user
        org = repo_id.split("/")[0]
        inside = bool(user) and (user["name"] == org or org in user["orgs"])
        if repo is None or (repo.private and not inside):
            raise Refusal(404 if user else 401, "Repository not found", "RepoNotFound")
        if write and not user:
            raise Refusal(401, "Invalid username or password.")
        if write and (not inside or user["role"] == "read"):
            raise Refusal(403, f"You don't have the rights to write to {repo_id}")
        return repo


def as_json(value: object, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"} | named)


def paged(hub: Hub, request: Request, items: list[Any]) -> Answer:
    """A page of a list, and where the next one is."""
    start = int(request.query.get("cursor", 0))
    answer = as_json(items[start : start + PAGE])
    if start + PAGE < len(items):
        query = urlencode(request.query | {"cursor": str(start + PAGE)})
        answer.headers["Link"] = f'<{hub.url}{request.path}?{query}>; rel="next"'
    return answer


# People and repositories


def whoami(hub: Hub, request: Request) -> Answer:
    if not request.user:
        raise Refusal(401, "Invalid username or password.")
    name, orgs = request.user["name"], [{"name": org, "type": "org"} for org in request.user["orgs"]]
    token = {"displayName": "t", "role": request.user["role"]}
    return as_json(
        {"type": "user", "id": name, "name": name, "fullname": name, "isPro": False, "orgs": orgs}
        | {"auth": {"type": "access_token", "accessToken": token}}
    )


def create_repo(hub: Hub, request: Request) -> Answer:
    asked, user = json.loads(request.body), request.user
    if not user:
        raise Refusal(401, "Invalid username or password.")
    org, name = asked.get("organization") or user["name"], asked["name"]
    if user["role"] == "read" or (org != user["name"] and org not in user["orgs"]):
        raise Refusal(403, f'You don\'t have the rights to create a dataset under the namespace "{org}"')
    if (
        asked.get("type", "model") not in ("dataset", "model")
        or not re.fullmatch(r"[\w.-]{1,96}", name, re.ASCII)
        or ".." in name
    ):
        raise Refusal(400, "Invalid repo name or type")
    url = f"{hub.url}/datasets/{org}/{name}"
    with hub.store.lock:
        if f"{org}/{name}" in hub.store.repos:
            raise Refusal(409, "You already created this dataset repo", url=url)
        hub.store.create(f"{org}/{name}", asked.get("visibility") == "private" or bool(asked.get("private")))
    return as_json({"url": url, "name": f"{org}/{name}"})


def about(repo: Repo, revision: str, hub: Hub) -> dict[str, Any]:
    commit = repo.resolve(revision or "main")
    card = commit.files.get("README.md")
    data = front(hub.store.content(card.sha256).read_text()) if card else {}
    return {"_id": repo.id, "id": repo.id, "author": repo.id.split("/")[0], "sha": commit.oid} | {
        "lastModified": commit.date,
        "private": repo.private,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": data.get("tags", []),
        "cardData": data,
        "siblings": [{"rfilename": path} for path in commit.files],
    }


def list_repos(hub: Hub, request: Request) -> Answer:
    found = []
    for repo_id in sorted(hub.store.repos):
        if repo_id.startswith(f"{request.query.get('author', '')}/"):
            try:
                found.append(about(hub.repo(request, repo_id), "main", hub))
            except Refusal:
                continue
    return paged(hub, request, found)


def repo_info(hub: Hub, request: Request, repo_id: str, revision: str) -> Answer:
    return as_json(about(hub.repo(request, repo_id), revision, hub))


def auth_check(hub: Hub, request: Request, repo_id: str, write: str) -> Answer:
    hub.repo(request, repo_id, write=bool(write))
    return as_json({})


# Uploads


def validate_yaml(hub: Hub, request: Request) -> Answer:
    try:
        front(json.loads(request.body)["content"])
    except ValueError as error:
        return as_json({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return as_json({"errors": [], "warnings": []})


def preupload(hub: Hub, request: Request, repo_id: str, revision: str) -> Answer:
    repo = hub.repo(request, repo_id, write=True)
    there = repo.resolve(revision).files
    attributes = hub.store.content(there[".gitattributes"].sha256).read_text()
    patterns = [line.split()[0] for line in attributes.splitlines() if "filter=lfs" in line]
    answers = []
    for file in json.loads(request.body)["files"]:
        name = file["path"].rpartition("/")[2]
        binary = b"\0" in base64.b64decode(file.get("sample") or "")
        lfs = binary or file["size"] >= INLINE_BELOW or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
        told = {"path": file["path"], "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        if (current := there.get(file["path"])) and current.lfs == lfs:
            told["oid"] = current.sha256 if lfs else current.oid
        answers.append(told)
    return as_json({"files": answers})


def lfs_batch(hub: Hub, request: Request, repo_id: str) -> Answer:
    hub.repo(request, repo_id, write=True)
    objects = []
    for wanted in json.loads(request.body)["objects"]:
        told = {"oid": wanted["oid"], "size": wanted["size"]}
        if not hub.store.has(wanted["oid"]):
            href = f"{hub.url}/_lfs/{wanted['oid']}?sig={hub.sign(wanted['oid'])}"
            told["actions"] = {"upload": {"href": href}, "verify": {"href": f"{hub.url}/_lfs/verify"}}
        objects.append(told)
    return as_json({"transfer": "basic", "objects": objects}, Content_Type="application/vnd.git-lfs+json")


def lfs_put(hub: Hub, request: Request, sha256: str) -> Answer:
    if request.query.get("sig") != hub.sign(sha256):
        raise Refusal(403, "bad signature")
    if hashlib.sha256(request.body).hexdigest() != sha256:
        raise Refusal(400, "the content is another")
    hub.store.keep(request.body)
    return Answer()


def lfs_verify(hub: Hub, request: Request) -> Answer:
    asked = json.loads(request.body)
    path = hub.store.content(asked["oid"])
    if not path.exists() or path.stat().st_size != asked["size"]:
        raise Refusal(404, "Object not found")
    return as_json({})


def commit(hub: Hub, request: Request, repo_id: str, branch: str) -> Answer:
    repo = hub.repo(request, repo_id, write=True)
    oid = hub.store.commit(repo, branch, request.body, request.user["name"] if request.user else "")
    return as_json({"success": True, "commitOid": oid, "commitUrl": f"{hub.url}/datasets/{repo_id}/commit/{oid}"})


# Refs and history


def tag(hub: Hub, request: Request, repo_id: str, revision: str) -> Answer:
    repo = hub.repo(request, repo_id, write=True)
    with hub.store.lock:
        if request.method == "DELETE":
            if repo.tags.pop(revision, None) is None:
                raise Refusal(404, "tag not found", "RevisionNotFound")
            return Answer()
        name = json.loads(request.body)["tag"]
        if name in repo.tags:
            raise Refusal(409, "Tag reference exists already")
        repo.tags[name] = repo.resolve(revision).oid
    return as_json({})


def refs(hub: Hub, request: Request, repo_id: str) -> Answer:
    repo = hub.repo(request, repo_id)
    kinds = {"branches": ("heads", repo.heads), "tags": ("tags", repo.tags)}
    listed = {
        kind: [{"name": n, "ref": f"refs/{place}/{n}", "targetCommit": oid} for n, oid in sorted(names.items())]
        for kind, (place, names) in kinds.items()
    }
    return as_json(listed | {"converts": []})


def commits(hub: Hub, request: Request, repo_id: str, revision: str) -> Answer:
    repo, listed = hub.repo(request, repo_id), []
    at: Any = repo.resolve(revision)
    while at:
        told = {"id": at.oid, "title": at.title, "message": at.message, "date": at.date}
        listed.append(told | {"authors": [{"user": at.author}]})
        at = repo.commits.get(at.parent or "")
    return paged(hub, request, listed)


# Downloads


def told_file(hub: Hub, path: str, file: Any) -> dict[str, Any]:
    name = hub.store.xet_name(file.sha256) if hub.store.xet else None
    return file.told(path) | ({"xetHash": name} if name else {})


def tree(hub: Hub, request: Request, repo_id: str, revision: str, folder: str) -> Answer:
    commit = hub.repo(request, repo_id).resolve(revision)
    below = f"{folder.strip('/')}/" if folder.strip("/") else ""
    files = {path: told_file(hub, path, file) for path, file in commit.files.items() if path.startswith(below)}
    if below and not files:
        raise Refusal(404, f"{folder} does not exist on {revision}", "EntryNotFound", commit=commit.oid)
    parents = {"/".join(path.split("/")[:n]) for path in files for n in range(1, path.count("/") + 1)}
    folders = {
        p: {"type": "directory", "path": p, "oid": hashlib.sha1(p.encode()).hexdigest(), "size": 0} for p in parents
    }
    both = {path: told for path, told in (files | folders).items() if path.startswith(below)}
    deep = request.query.get("recursive", "").lower() == "true"
    return paged(hub, request, [both[path] for path in sorted(both) if deep or "/" not in path[len(below) :]])


def paths_info(hub: Hub, request: Request, repo_id: str, revision: str) -> Answer:
    commit = hub.repo(request, repo_id).resolve(revision)
    if "json" in request.headers.get("Content-Type", ""):
        wanted = json.loads(request.body)["paths"]
    else:
        wanted = parse_qs(request.body.decode()).get("paths", [])
    return as_json([told_file(hub, path, commit.files[path]) for path in wanted if path in commit.files])


def resolve(hub: Hub, request: Request, repo_id: str, revision: str, path: str) -> Answer:
    commit = hub.repo(request, repo_id).resolve(revision)
    if not (file := commit.files.get(path)):
        raise Refusal(404, "Entry not found", "EntryNotFound", commit=commit.oid)
    headers = {"X-Repo-Commit": commit.oid, "ETag": f'"{file.sha256 if file.lfs else file.oid}"'}
    if file.lfs:
        headers |= {"X-Linked-Etag": f'"{file.sha256}"', "X-Linked-Size": str(file.size)}
        if hub.store.xet and (name := hub.store.xet_name(file.sha256)):
            link = f"{hub.url}/api/datasets/{repo_id}/xet-read-token/{commit.oid}"
            headers |= {"X-Xet-Hash": name, "Link": f'<{link}>; rel="xet-auth"'}
    headers["Content-Disposition"] = f"inline; filename*=UTF-8''{quote(path.rpartition('/')[2])}"
    return Answer(headers=headers, file=hub.store.content(file.sha256))


# Xet


def xet_token(hub: Hub, request: Request, repo_id: str, kind: str, revision: str) -> Answer:
    if not hub.store.xet:
        raise Refusal(404, "Xet is not spoken here")
    hub.repo(request, repo_id, write=kind == "write")
    until = int(time.time()) + 3600
    token = f"{kind}.{until}.{hub.sign('xet', kind, until)}"
    told = {"casUrl": f"{hub.url}/_cas", "exp": until, "accessToken": token}
    return as_json(told, X_Xet_Cas_Url=told["casUrl"], X_Xet_Token_Expiration=str(until), X_Xet_Access_Token=token)


def _may(hub: Hub, request: Request, kind: str) -> None:
    parts = request.headers.get("Authorization", "").removeprefix("Bearer ").split(".")
    if len(parts) != 3 or parts[2] != hub.sign("xet", parts[0], parts[1]) or int(parts[1]) < time.time():
        raise Refusal(401, "bad xet token")
    if kind == "write" and parts[0] != "write":
        raise Refusal(403, "write scope needed")


def put_xorb(hub: Hub, request: Request, name: str) -> Answer:
    _may(hub, request, "write")
    path = hub.store.folder / "xorbs" / name
    new = not path.exists()
    path.write_bytes(request.body)
    return as_json({"was_inserted": new})


def put_shard(hub: Hub, request: Request) -> Answer:
    _may(hub, request, "write")
    hub.store.add_shard(request.body)
    return as_json({"result": 1})


def reconstruction(hub: Hub, request: Request, name: str) -> Answer:
    _may(hub, request, "read")
    if name not in hub.store.xet_files:
        raise Refusal(404, "file not found")
    _, size, terms = hub.store.xet_files[name]
    first, last = _span(request.headers.get("Range", ""), size) or (0, size - 1)
    told: list[dict[str, Any]] = []
    fetch: dict[str, list[dict[str, Any]]] = {}
    at, skipped = 0, 0
    for xorb, num, start, end in terms:
        if at + num > first and at <= last:
            skipped = skipped if told else first - at
            span = {"start": start, "end": end}
            told.append({"hash": xorb, "unpacked_length": num, "range": span})
            _, places = hub.store.places(xorb)
            bytes_of = {"start": places[start][0], "end": places[end - 1][0] + 8 + places[end - 1][1] - 1}
            url = f"{hub.url}/_cas/data/{xorb}?sig={hub.sign('xorb', xorb)}"
            fetch.setdefault(xorb, []).append({"range": span, "url": url, "url_range": bytes_of})
        at += num
    return as_json({"offset_into_first_range": skipped, "terms": told, "fetch_info": fetch})


def xorb_data(hub: Hub, request: Request, name: str) -> Answer:
    if request.query.get("sig") != hub.sign("xorb", name):
        raise Refusal(403, "bad signature")
    return Answer(file=hub.store.folder / "xorbs" / name)


def nothing(hub: Hub, request: Request) -> Answer:
    return Answer()


REPO, REV = r"([^/]+/[^/]+)", r"([^/]+)"
API = rf"/api/(?:datasets|models)/{REPO}"  # the Hub of the tests has one store for both kinds
ROUTES: list[tuple[str, str, Callable[..., Answer]]] = [
    ("GET", r"/api/whoami-v2", whoami),
    ("GET HEAD POST", r"/(?:api|v1)/telemetry.*", nothing),
    ("POST", r"/api/validate-yaml", validate_yaml),
    ("POST", r"/api/repos/create", create_repo),
    ("GET", r"/api/datasets", list_repos),
    ("GET", rf"{API}(?:/revision/{REV})?", repo_info),
    ("GET", rf"{API}/auth-check(/write)?", auth_check),
    ("POST", rf"{API}/preupload/{REV}", preupload),
    ("POST", rf"(?:/datasets)?/{REPO}\.git/info/lfs/objects/batch", lfs_batch),
    ("PUT", r"/_lfs/([0-9a-f]{64})", lfs_put),
    ("POST", r"/_lfs/verify", lfs_verify),
    ("POST", rf"{API}/commit/{REV}", commit),
    ("POST DELETE", rf"{API}/tag/{REV}", tag),
    ("GET", rf"{API}/refs", refs),
    ("GET", rf"{API}/commits/{REV}", commits),
    ("GET", rf"{API}/tree/{REV}(?:/(.*))?", tree),
    ("POST", rf"{API}/paths-info/{REV}", paths_info),
    ("GET HEAD", rf"(?:/datasets)?/{REPO}/(?:resolve|raw)/{REV}/(.+)", resolve),
    ("GET", rf"{API}/xet-(read|write)-token/{REV}", xet_token),
    ("POST", r"/_cas/v1/xorbs/default/([0-9a-f]{64})", put_xorb),
    ("POST", r"/_cas/v1/shards", put_shard),
    ("GET", r"/_cas/v1/reconstructions/([0-9a-f]{64})", reconstruction),
    ("GET", r"/_cas/data/([0-9a-f]{64})", xorb_data),
]


def _span(asked: str, size: int) -> tuple[int, int] | None:
    """The first and last byte that a Range asks for."""
    if not (match := re.fullmatch(r"bytes=(\d*)-(\d*)", asked)) or not any(match.groups()):
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    if int(match[1]) >= size:
        raise Refusal(416, "out of range")
    return int(match[1]), min(int(match[2] or size), size - 1)


class Handler(BaseHTTPRequestHandler):
    """HTTP: read a request, let a fault have its way, write the answer."""

    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one(self) -> None:
        place = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(place.query, keep_blank_values=True).items()}
        request = Request(self.command, place.path, query, self.headers, self._body())
        self.hub.seen.append(f"{self.command} {place.path}")
        said = next((told for fault in list(self.hub.faults) if (told := fault(request)) is not None), None)
        if said == "drop":
            return self._drop()
        answer = said if isinstance(said, Answer) else self.hub.answer(request)
        return self._drop() if said == "lose" else self._write(request, answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_one

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(2)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _write(self, request: Request, answer: Answer) -> None:
        data, headers = answer.body, dict(answer.headers)
        if answer.file:
            data, headers["Accept-Ranges"] = answer.file.read_bytes(), "bytes"
            try:
                if span := _span(self.headers.get("Range", ""), len(data)):
                    headers["Content-Range"] = f"bytes {span[0]}-{span[1]}/{len(data)}"
                    answer.status, data = 206, data[span[0] : span[1] + 1]
            except Refusal as refusal:
                answer.status, data = refusal.status, b""
        self.send_response(answer.status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(data)

    def log_message(self, *values: object) -> None:
        """Say nothing; `seen` has it."""


def main() -> None:
    """Run a Hub until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--xet", action="store_true")
    asked = parser.parse_args()
    hub = Hub(asked.folder, asked.port, asked.xet)
    print(hub.url, flush=True)
    hub.httpd.serve_forever()


if __name__ == "__main__":
    main()
