# The comments of this file are wrong in every way there is: tests/test_types.py sees that each is noticed.
number: int = "text"
text: str = "text"  # error
unwrapped: int = None  # error: attr-defined
right: int = b""  # error: assignment
also_right: int = 1
