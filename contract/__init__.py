"""What kiosk and hub say to each other: event kinds, batches, receipts, status messages, topics and their codec.

The one definition of the wire. No I/O, and no import of any other room of this project.
"""
