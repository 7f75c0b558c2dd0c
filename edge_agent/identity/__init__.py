"""Who this kiosk is at the hub: its key and certificate, how it gets them, and how it keeps them.

`store` holds generations of key, certificate and way to the hub on disk; `steps` makes a new one by enrolment or
renewal, so that a power cut at any point goes on or goes back at the next start; `keeper` renews by itself while the
agent runs; `first_boot` enrols a kiosk that has no keyboard. Only `keytool`, a short process, loads cryptography.
"""
