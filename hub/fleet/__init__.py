"""What the hub wants of devices: their configuration, commands, and roll-outs of a version. Without I/O."""
