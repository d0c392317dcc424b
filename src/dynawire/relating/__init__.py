"""How items lead to others: what relations of classes mean, reading along them, and writes that go along them."""
