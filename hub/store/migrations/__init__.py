"""Numbered, append-only SQL files: `NNNN_name.sql`. A new one is added at the end; a landed one never changes."""
