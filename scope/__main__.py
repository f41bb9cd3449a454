"""`python -m scope` is the command line."""

from scope.cli import main

main()
