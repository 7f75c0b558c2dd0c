"""A believable border: drives the demo, the tests, the benchmarks and training."""
