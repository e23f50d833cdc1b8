"""Verification: whether a credential, ours or anybody's, holds, as named checks with one sentence each.

    verifier = Verifier(knowledge, outbound, canonicaliser, addresses, test=True)
    verdict = await verifier.verify(Submission(credential=document, recipient=Recipient(email="ann@school.example")))

`Knowledge` is what the checks ask this ledger; `ledger.outbound` is the only way out.
"""
