"""What sft.py stands on: examples, batches, model, TRL's trainer, checkpoints."""
