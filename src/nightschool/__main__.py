"""`python -m nightschool`."""

from nightschool.cli import run

if __name__ == "__main__":
    run()
