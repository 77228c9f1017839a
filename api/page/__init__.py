"""The page for people: documents, style sheet, scripts. What it shows, it reads over REST."""
