"""One module a check, listed in `edge_agent.doctor.registry`."""
