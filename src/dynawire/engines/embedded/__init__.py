"""The embedded engine: a DynamoDB that lives in the process."""
