"""What a notebook shows of a result that has no table of its own: its text."""

from html import escape


class TextInNotebook:
    """Shows the `repr` of a result in a notebook, with its lines as they are."""

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"
