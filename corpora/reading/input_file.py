"""InputFile: all that a reader needs to know of a file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class InputFile:
    """A file of a corpus in one language.

    `format` is a key of `READERS` for the kind of corpus. `en_code` and `xx_code` are upstream's codes of English and
    of `lang`. `columns` names columns of the file by ours. In these names `{code}` is replaced by `xx_code`, and a dot
    leads into a struct: `{"en": "translation.en", "xx": "translation.{code}"}`. `others` are more files with the same
    corpus and language, which are read after `path`; of `text-pair`, those of both sides alternate, English first.
    """

    path: Path
    format: str
    lang: str = "en"
    en_code: str = "en"
    xx_code: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    others: tuple[Path, ...] = ()

    def column(self, name: str) -> str:
        """Return the name in the file of one of our columns."""
        return self.columns.get(name, name).replace("{code}", self.xx_code)
