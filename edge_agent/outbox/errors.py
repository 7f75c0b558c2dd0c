"""What can go wrong with the outbox, and what the caller does next."""

from __future__ import annotations


class OutboxError(Exception):
    """Stop: the outbox cannot be used. The text says which file, what is wrong with it and what to do."""


class OutboxNewer(OutboxError):
    """Stop, or set it aside: a later version wrote it, and nothing in it may be guessed."""


class OutboxLocked(OutboxError):
    """Stop: another agent has this outbox open."""


class OutboxFull(OutboxError):
    """Nothing was stored. Keep the event if you can and try again later; the agent reports the refusal."""


class OutboxDamaged(OutboxError):
    """Stop: the file is not what SQLite wrote. The next opening sets it aside and begins anew."""


class NotStored(OutboxError):
    """The write failed; whether anything of it reached the disk is unknown, so its numbers are never used again."""
