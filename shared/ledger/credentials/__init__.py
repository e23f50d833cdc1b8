"""What a credential says: facts in, the unsigned Open Badges 3.0 document out; and checks of documents that come in.

● Pure: no clock, no randomness, no network. Rules that hold here: every property is a term of the contexts that the
document names; multi-valued properties are arrays even with one member; what is absent is left out, never null; equal
facts give equal documents.
"""
