"""`python -m defectkeras` is `defectkeras`."""

from defectkeras.cli.main import main

if __name__ == "__main__":
    main(prog_name="defectkeras")
