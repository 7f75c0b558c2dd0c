"""What the hub wants of devices: their configuration, and commands. Without I/O."""
