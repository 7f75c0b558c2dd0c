"""Where the hub keeps what it knows: PostgreSQL, with or without TimescaleDB. The only room that speaks SQL."""
