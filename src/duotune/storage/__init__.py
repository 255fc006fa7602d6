"""One interface over a local directory and S3."""
