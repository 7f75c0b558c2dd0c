"""`python -m hub` is `ttdn-hub`."""

from hub.cli import main

main()
