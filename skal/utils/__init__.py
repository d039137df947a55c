"""The public conformance checks for strategies, progress bars, and small helpers."""
