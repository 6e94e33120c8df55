"""One file per thing that can be asked for; the only place where rooms meet."""
