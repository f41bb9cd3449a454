"""What each kind of part is held to: a table of checks for skills, one for generators, one for verifiers."""
