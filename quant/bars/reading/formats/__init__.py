"""The formats of files of bars."""
