"""What exists upstream, and how it gets here."""
