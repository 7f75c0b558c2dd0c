"""Who may do what at the hub: roles, tokens, passwords, sessions, lockout. Rules without I/O."""
