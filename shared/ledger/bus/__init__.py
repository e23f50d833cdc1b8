"""NATS: the connection, the stream whose sequence is the position, requests between services. The only place that
knows the client library."""

from ledger.bus.connection import ApiError, Bus
from ledger.bus.pulling import BusMessage, pull

__all__ = ["ApiError", "Bus", "BusMessage", "pull"]
