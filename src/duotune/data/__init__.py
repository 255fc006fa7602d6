"""Files -> filtered -> deduplicated -> examples -> split -> packed tokens."""
