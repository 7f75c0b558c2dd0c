"""The agent on a kiosk: sees what is really on screen and what visitors do, keeps it, and reports it to the hub."""
