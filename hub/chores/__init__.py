"""What the hub does by itself now and then, once for all processes that share a database."""
