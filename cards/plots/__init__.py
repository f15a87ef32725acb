"""Draw the pictures of a card."""
