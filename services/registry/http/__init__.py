"""What the registry answers over HTTP: public reads, the pages, and the history for who holds a key."""
