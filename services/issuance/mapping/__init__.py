"""Mappings: from what a learning management system exports to results and awards. ● Pure.

    records = read(mapping, content)          a file's bytes → records (column → text)
    actions = apply(mapping, record.values)   a record → what to record and award, or what is wrong with it

A mapping is stored, versioned and never changes; so the same record always leads to the same actions.
"""

from issuance.mapping.applying import RowAction, RowFault, apply, named_in
from issuance.mapping.files import Record, Table, Unreadable, read, read_table
from issuance.mapping.model import Mapping, PublishMapping, Rule, Source
from issuance.mapping.versions import WithdrawMapping

__all__ = [
    "Mapping",
    "PublishMapping",
    "Record",
    "RowAction",
    "RowFault",
    "Rule",
    "Source",
    "Table",
    "Unreadable",
    "WithdrawMapping",
    "apply",
    "named_in",
    "read",
    "read_table",
]
