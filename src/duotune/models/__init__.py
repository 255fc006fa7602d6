"""What is known of a base model: where it is, its shape, its tokenizer, its control tokens and its prompts."""
