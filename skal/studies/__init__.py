"""Studies: what takes more than one run."""

from skal.studies._seeds import SeedResults, run_seeds

__all__ = ["SeedResults", "run_seeds"]
