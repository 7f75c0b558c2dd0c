"""`python -m tests.bench agent`: what the agent costs a kiosk."""
def run(folder, quick): return {}
