"""One module per library, all of one form, for benchmarks/worker.py.

``start(url)`` and ``astart(url)`` prepare it for a server, ``stop()`` and ``astop()`` end it; ``get put update query``
and ``aget aput aupdate aquery`` each make one call (a library that has only one mode lacks the others); ``plain(item)``
gives an item it has read as plain values, so that the worker can check it; ``IMPORT`` is what a program that uses it
imports.
"""
