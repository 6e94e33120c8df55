"""How often the tests at registration find what they look for, and how often they find what is not there."""
