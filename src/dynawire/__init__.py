"""dynawire: the Python object mapper for Amazon DynamoDB."""
