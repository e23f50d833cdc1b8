"""Bulk: a list of wishes, checked first, then carried out row by row, whatever stops it on the way.

    rows ●      what was sent → one body a row, as if each had been sent alone
    rules ●     the life of a job over `job/<id>`
    records ○   the rows in the vault, sealed, and what became of each
    wishes ○    one kind of row each: how it is judged in a dry run, and how it is done
    engine ○    runs what may run, batch by batch, in one process at a time
    answers     what the API says of a job

A row's command follows from the job and the row, so that a row that is done again is answered as it was: a job may be
killed at any moment and goes on without a duplicate or a loss.
"""
