"""`ttdn-agent doctor`: whether everything is as it should be on this kiosk, and what the technician does if not.

`checks/` holds one module a check: a pure judgement over what was read, and a thin reading; `registry` lists them.
`examination` runs them beside each other, each with a deadline. A `Finding` says what was found by a key of
`edge_agent.words` and facts, so that it can be told in each language: as text, as JSON, on the kiosk's own screen
(`on_screen`) and on a technician's phone (`phone_page`).
"""
