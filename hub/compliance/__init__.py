"""Right and wrong: what was shown against what was approved and planned, and what is not known. Pure, without I/O."""
