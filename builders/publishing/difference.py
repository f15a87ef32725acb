"""How two releases differ, as values: rows, columns, sizes and metadata."""

from dataclasses import dataclass

from builders.publishing.metadata_changes import MetadataChange

Counts = tuple[int | None, int | None]


@dataclass(frozen=True)
class ConfigChange:
    """How one config differs: rows and bytes in both releases (None where one lacks it), and rows by key."""

    config: str
    num_rows: Counts
    num_bytes: Counts
    added: int = 0
    removed: int = 0
    changed: int = 0


@dataclass(frozen=True)
class Difference:
    """How two releases differ: configs and their rows, columns, and the metadata in the manifest."""

    configs: tuple[ConfigChange, ...]
    columns_added: tuple[str, ...] = ()
    columns_removed: tuple[str, ...] = ()
    columns_changed: tuple[str, ...] = ()
    metadata_changed: tuple[MetadataChange, ...] = ()

    @property
    def has_other_columns(self) -> bool:
        """Whether the releases have different columns, or the same in another order."""
        return bool(self.columns_added or self.columns_removed or self.columns_changed)

    def added_configs(self) -> list[str]:
        """Return the configs that only the later release has."""
        return [change.config for change in self.configs if change.num_rows[0] is None]

    def removed_configs(self) -> list[str]:
        """Return the configs that only the earlier release has."""
        return [change.config for change in self.configs if change.num_rows[1] is None]
