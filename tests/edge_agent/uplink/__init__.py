"""Each rule of the stream protocol as the agent's end plays it, one by one, with a clock of the test's own."""
