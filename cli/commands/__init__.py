"""The commands of `ktrdr`, by what they are about."""
