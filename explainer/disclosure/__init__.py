"""What a role may see of an answer, and the words for its reasons."""
