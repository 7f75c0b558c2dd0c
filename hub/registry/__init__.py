"""Which sites and devices there ought to be. What is read from files is checked here, without I/O."""
