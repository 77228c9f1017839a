"""How text, tables and sentences look on a terminal."""
