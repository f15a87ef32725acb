"""The versions of a release in a registry folder: NAME/vX.Y.Z."""

from dataclasses import dataclass
from pathlib import Path

from cards.manifest import FILE
from cards.releases.release import Release, open_folder
from cards.releases.versions import sort_versions
from cards.releases.yanked import STATUS_FILE, parse_yanked
from corpora.errors import InputError
from corpora.files import read_whole


@dataclass(frozen=True)
class FolderReleases:
    """The versions of one name, each in a folder below `path`."""

    path: Path

    @property
    def uri(self) -> str:
        """The folder, as a person writes it."""
        return str(self.path)

    def versions(self) -> list[str]:
        """Return the versions, oldest first."""
        return sort_versions(path.name for path in self.path.glob("v*") if (path / FILE).exists())

    def yanked(self) -> dict[str, str]:
        """Return the reasons of the yanked versions, by version."""
        path = self.path / STATUS_FILE
        return parse_yanked(read_whole(path), str(path)) if path.exists() else {}

    def open(self, version: str) -> Release:
        """Return one of the versions.

        Raises:
            InputError: Its folder holds another version, or a release of another name.
        """
        release, name = open_folder(self.path / version, self.yanked().get(version)), self.path.absolute().name
        if (release.name, release.version) != (name, version):
            raise InputError(
                f"{release.uri} holds {release.name}@{release.version}, not {name}@{version}: the folder was renamed "
                "or replaced. Restore it, or move it away."
            )
        return release


def release_names(registry: Path) -> list[str]:
    """Return the names of the releases in a registry folder."""
    return sorted(path.name for path in registry.glob("*") if path.is_dir() and FolderReleases(path).versions())
