"""What a learner does with the link in a notice: prove the address, open the credential, say who may see it, join
records. `tokens` and `rules` are pure."""
