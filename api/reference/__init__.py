"""The reference of the API for people: Swagger UI, which loads nothing from elsewhere."""
