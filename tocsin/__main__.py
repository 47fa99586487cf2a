"""How is the program started without being installed? `python -m tocsin`."""

from tocsin.cli import main

if __name__ == "__main__":
    main()
