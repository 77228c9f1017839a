"""Operations: started, found, listed, followed, cancelled, resumed and reproduced."""
