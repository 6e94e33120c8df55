"""`python -m explainer`: the command line without its installed script."""

from explainer.cli import main

if __name__ == "__main__":
    main()
