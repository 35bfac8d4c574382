"""Names of methods, numbers as text, captions, and the sentences of the pages."""
