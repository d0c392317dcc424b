"""Choosing how to read the items of which a condition holds, and reading them.

``facts`` says what a condition tells of each attribute, ``sources`` what a table and its indexes offer, ``statistics``
and ``costs`` what reading them takes; ``planning`` puts these together to a plan (``plans``), ``explaining`` shows it,
``reading`` carries it out and ``where`` writes what it finds. Nothing here opens a socket, starts a thread or awaits.
"""
