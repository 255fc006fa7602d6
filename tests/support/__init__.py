"""What tests share: models, repositories, servers."""
