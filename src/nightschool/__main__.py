"""`python -m nightschool`."""

from nightschool.cli import main

if __name__ == "__main__":
    main()
