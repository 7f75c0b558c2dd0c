"""The ledger's rules, without I/O: what a message is, and what of it is new."""
