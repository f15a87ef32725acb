"""What we build, how much of each, and why that much."""
