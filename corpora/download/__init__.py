"""What `pull.py` stands on: one URL, its bytes, and what is known of them."""
