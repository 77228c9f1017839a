"""How the tests are run: in time, in any order, and with nothing left behind."""
