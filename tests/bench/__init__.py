"""Benchmarks: `python -m tests.bench --help`. What each figure is stands in README.md."""
