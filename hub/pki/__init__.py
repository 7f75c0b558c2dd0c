"""The hub's certificate authority: codes, certificates, the revocation list, and the brokers' and proxy's settings."""
