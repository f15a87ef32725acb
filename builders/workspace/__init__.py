"""Store units of work and run queries on them."""
