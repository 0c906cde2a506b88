"""python -m diagnose: the console script `diagnose`, where its folder is not on the PATH."""

from diagnose.cli import main

if __name__ == "__main__":
    main()
