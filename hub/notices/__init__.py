"""Telling people of incidents: what is said, and by which ways it goes out."""
