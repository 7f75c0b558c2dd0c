"""What stops the agent, and what its operator does next."""

from __future__ import annotations


class AgentError(Exception):
    """Stop: the text says what is wrong, where, and what to do about it."""


class AgentFailed(AgentError):
    """Stop, and start again: what worked does not work any more."""


class ConfigError(AgentError):
    """The configuration cannot be used; the text names the file, the key, what is wrong and what is expected."""
