"""Download the files of corpora: resumed, verified against the lock file, and used from a mirror where there is one.

pull_sources(sources, folder, lock)      # [SourceFile(source, path, sha256, size), ...], downloaded where needed
read_lock, expected_by, find_mismatch    # the lock file: a digest and size for each URL
find_sizes(sources, folder, lock)        # [FileSize(source, num_bytes, origin), ...], without downloading anything
add_entry                                # write an entry to it
send(url, headers, timeout_s, body)      # Reply(status, body, ...); no redirect is followed
open_url(url, headers)                   # a response at the end of safe redirects
read_sidecar, update_sidecar, write_sidecar   # the remembered digest of a file that has not changed
"""

from corpora.download.http import describe_network_error, open_url
from corpora.download.lock_file import Expected, add_entry, expected_by, find_mismatch, read_lock
from corpora.download.sidecar import Sidecar, read_sidecar, update_sidecar, write_sidecar
from corpora.download.single_request import Reply, send
from corpora.download.sizes import FileSize, find_sizes
from corpora.download.sources import OnBytes, Source, SourceFile, missing_sources, pull_sources

__all__ = [
    "Expected",
    "FileSize",
    "OnBytes",
    "Reply",
    "Sidecar",
    "Source",
    "SourceFile",
    "add_entry",
    "describe_network_error",
    "expected_by",
    "find_mismatch",
    "find_sizes",
    "missing_sources",
    "open_url",
    "pull_sources",
    "read_lock",
    "read_sidecar",
    "send",
    "update_sidecar",
    "write_sidecar",
]
