"""What a class means to DynamoDB: its attributes, keys and indexes. The bottom layer; it imports only errors."""
