"""Releases of the agent: keys, signed packages, and the shelf from which kiosks fetch them. Files only, no database."""
