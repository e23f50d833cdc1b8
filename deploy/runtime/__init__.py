"""The parts of the one-command supervisor.

    command      arguments, exit statuses
    settings     what the environment says
    account      which uid runs the data owners; which binaries it can reach
    state        the state folder: layout, lock, runtime.json
    secrets      passwords, keys and tokens, made once
    children     spawn, the watch over a dying supervisor, one child's life; family: all of them
    postgres     the cluster and its server
    database     schema and roles, before any service
    nats         nats-server in operator mode; jetstream asks it one question
    services     the three services: environment and readiness
    supervisor   the order of things: start, serve, stop
    signals      requests to stop, as facts
    screen       what a person sees

Everything runs in the main thread: the kernel signals a child when the *thread* that forked it ends.
"""
