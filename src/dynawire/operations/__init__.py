"""One module per DynamoDB operation. Pure: they build request bytes, read response bytes and decide what to send next.

An operation is a generator that yields effects (:mod:`.effects`) and receives their results; the two drivers
(:mod:`.drivers`) carry it out on an engine, one blocking and one awaiting. No operation opens a socket, starts a thread
or awaits.
"""
