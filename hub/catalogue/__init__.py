"""What may be shown and what must be shown: read from files, and what of it is in force, without I/O."""
