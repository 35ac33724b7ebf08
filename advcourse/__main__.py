"""`python -m advcourse` is the command `advcourse`."""

from advcourse.cli import app

if __name__ == "__main__":
    app(prog_name="advcourse")
