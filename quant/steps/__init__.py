"""The four steps of a research: bars and artifacts in, artifacts and a result out."""
