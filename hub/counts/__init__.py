"""What events add to the hourly counts, without I/O."""
