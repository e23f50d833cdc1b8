"""Status lists and leases of places in them.

`ttl` and `Cache-Control` together never let a reader show what was true more than a second ago. A list has no
`validUntil`: it is signed when it changes, not because time passes.
"""

VISIBLE_SECONDS = 1.0  # from the answer to a change until every reader sees it
TTL_MILLISECONDS = 500  # leaves as much for publishing and fetching
