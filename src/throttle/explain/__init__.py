"""Explanations that are checked rather than narrated: a rule is named because without it the item begins earlier."""
