"""How a release becomes a model, and a model scores."""
