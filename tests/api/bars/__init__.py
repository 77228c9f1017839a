"""Starts on bars of users, of one instrument or several."""
