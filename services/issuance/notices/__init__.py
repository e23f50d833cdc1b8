"""Notices to learners: an outbox that follows from the log, texts per institution and language, one mail an event.

`outbox` writes the rows, `sending` hands them to the mail system and records what came of it; `texts`, `templates`,
`letters`, `bounces` and `rules` are pure.
"""
