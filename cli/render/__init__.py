"""How answers look in a terminal. Text from outside is never read as markup."""
