"""Of the simulated border."""
