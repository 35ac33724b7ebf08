"""`python -m advcourse` is the command `advcourse`."""

from advcourse.cli.app import app

if __name__ == "__main__":
    app(prog_name="advcourse")
