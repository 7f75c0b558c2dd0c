"""The provincial hub: stores what kiosks report exactly once, and knows what it does not know."""
