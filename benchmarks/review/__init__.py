"""How long the pages of decision review take in the server when there are very many decisions."""
