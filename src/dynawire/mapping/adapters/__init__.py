"""What differs between the libraries a class may come from: how its instances are made, changed and remembered."""
