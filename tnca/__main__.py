"""python -m tnca: the console script `tnca`, where its folder is not on the PATH."""

from tnca.cli import main

if __name__ == "__main__":
    main()
