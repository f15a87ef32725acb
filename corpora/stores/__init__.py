"""Object stores: files by name in S3 and its like, and local folders in which they are staged."""

from corpora.stores.cache import cache_folder
from corpora.stores.staged_folder import StagedFolder
from corpora.stores.store import Store, store_uri
from corpora.stores.store_lease import lease_store

__all__ = ["StagedFolder", "Store", "cache_folder", "lease_store", "store_uri"]
