"""What the hub sets of this device and asks of it: checked, kept, done once, answered."""
