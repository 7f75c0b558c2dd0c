"""A new version of the agent beside the old one, and the way back.

Two parts that trust each other with nothing: `fetcher` and `inbox` (the agent's own user) bring a package to
`<state_folder>/update/ready.ttdn`; `installer` (root, `ttdn-agent update-apply`) checks signature and hashes itself,
builds the other virtual environment, tries it, and keeps it or goes back. What root has to say of it stands in
`results`, which the agent reads and tells the hub.
"""
