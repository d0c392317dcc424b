"""Engines carry requests in DynamoDB's own wire protocol: bytes in, bytes out, and errors. They never see a model."""
