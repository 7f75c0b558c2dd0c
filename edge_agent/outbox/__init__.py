"""Durable storage of events on the kiosk until the hub has them, and for a grace after that."""
