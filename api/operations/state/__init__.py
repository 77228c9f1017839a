"""What an operation is at the moment: from Temporal, in the words of the API."""
