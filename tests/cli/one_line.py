"""What every error of the command line is: nothing on stdout, one line on stderr."""


def assert_one_line(done, code, *said):
    """The command ended with that code, and its one line has all those words."""
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("diagnose: ")
    assert done.err.count("\n") == 1
    assert done.err.endswith("\n")
    for words in said:
        assert words in done.err
