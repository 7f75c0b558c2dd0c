"""What the hub shows over HTTP: the page of all screens, the API, health and metrics. Reads only."""
