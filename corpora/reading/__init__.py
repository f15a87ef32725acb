"""What `formats.py` stands on: archives, lines, and one module a family of formats."""
