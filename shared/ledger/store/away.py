"""What it looks like when PostgreSQL is away, said once: whoever meets one of these tries again or answers 503."""

import asyncpg

DATABASE_AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asyncpg's own state after a cut in the middle of an exchange
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
)
