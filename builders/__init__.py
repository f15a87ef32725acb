"""How upstream becomes a release."""
