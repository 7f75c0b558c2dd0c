"""From MQTT messages to committed rows: receive, decide, commit, answer."""
