"""The embedded engine against AWS's DynamoDB Local."""
