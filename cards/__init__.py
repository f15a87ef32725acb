"""How a release describes itself."""
