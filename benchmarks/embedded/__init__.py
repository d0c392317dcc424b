"""What a developer can use instead of the service, one module each, of the form of benchmarks/rivals.

Each holds the 100 sample items and works on them. ``cpu()`` is the CPU seconds spent so far where that is more than
this process's own.
"""
