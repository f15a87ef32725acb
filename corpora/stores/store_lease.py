"""The lease of a store: a store belongs to one run at a time; files below `.leases` say to which, and are renewed.

A run writes a lease of its own and then lists all of them: stores show a file to everyone as soon as it is written, so
of two runs at least one sees the other, and a run that sees another one gives way.
"""

import _thread
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from secrets import token_hex
from threading import Event, Thread

from corpora.errors import InputError
from corpora.leases import RENEWED_S, VOID_S, Holder, is_here, is_running, this_process
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
    ended, lost = Event(), Event()
    Thread(target=_renew, args=(store, own, ended, lost), daemon=True).start()
    try:
        yield
    except KeyboardInterrupt:
        if lost.is_set():
            raise InputError(
                f"Another run has taken {label}, since this one did not renew its lease for {VOID_S:.0f} seconds. "
                "Finished work is kept: wait until the other run has ended, and run the same command again."
            ) from None
        raise
    finally:
        ended.set()
        with suppress(InputError):  # then it is void after a while
            store.remove(own)


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
    if is_here(holder):
        return f"process {holder.pid} of this machine" if is_running(holder) else ""
    seen = f"process {holder.pid} on {holder.machine}, which renewed its lease {max(0.0, age):.0f} seconds ago"
    return f"{seen} (a run that was killed is recognised after {VOID_S:.0f} seconds)" if age < VOID_S else ""


def _renew(store: Store, own: str, ended: Event, lost: Event) -> None:
    """Renew a lease until it ends; interrupt the run if another one has removed it."""
    while not ended.wait(RENEWED_S):
        with suppress(InputError):
            if own not in store.sizes(FOLDER):
                lost.set()
                _thread.interrupt_main()
                return
            _write(store, own)
