"""Fine-tuning of transformers."""
