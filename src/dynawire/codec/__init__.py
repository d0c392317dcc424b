"""Python values to DynamoDB's wire form and back, compiled once per class."""
