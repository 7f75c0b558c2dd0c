"""Visits: from single acts to facts of a session and counts, and what of the counts may leave the province. Pure."""
