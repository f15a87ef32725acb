"""The lease of a store: a store belongs to one run at a time; files below `.leases` say to which, and are renewed.

A run writes a lease of its own and then lists all of them: stores show a file to everyone as soon as it is written, so
of two runs at least one sees the other, and a run that sees another one gives way.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from secrets import token_hex

from corpora.errors import InputError
from corpora.leases import Holder, renewed, this_process, use_of
from corpora.stores.store import Store

FOLDER = ".leases"


@contextmanager
def lease_store(store: Store, name: str) -> Iterator[None]:
    """Hold the lease of a store; InputError, with its `name`, if another run has it, on whichever machine."""
    label, own = f"the {name} {store.uri}", f"{FOLDER}/{token_hex(8)}"
    _write(store, own)
    try:
        _refuse_others(store, own, label)
    except BaseException:
        store.remove(own)
        raise
    with renewed(label, partial(_renew, store, own), partial(_release, store, own)):
        yield


def _write(store: Store, own: str) -> None:
    store.write(own, json.dumps({"renewed": time.time(), **asdict(this_process())}).encode())


def _refuse_others(store: Store, own: str, label: str) -> None:
    """Raise InputError if another run has the store; void leases are removed."""
    for other in sorted(store.sizes(FOLDER)):
        if other == own:
            continue
        if use := _use(store.read(other)):
            raise InputError(f"Another run is using {label}: {use}. Wait until it has ended, or name another address.")
        store.remove(other)


def _use(text: bytes | None) -> str:
    """Return who uses a store by a lease, empty if it is void."""
    try:
        values = json.loads(text or b"{}")
        age, holder = time.time() - values.pop("renewed"), Holder(**values)
    except (ValueError, TypeError, KeyError):
        return ""
    return use_of(holder, age)


def _renew(store: Store, own: str) -> bool:
    if own not in store.sizes(FOLDER):
        return False
    _write(store, own)
    return True


def _release(store: Store, own: str) -> None:
    with suppress(InputError):  # then it is void after a while
        store.remove(own)
