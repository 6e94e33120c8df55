"""The dispatcher: one process that holds the workers, asked by every web process of this host over a Unix socket."""
