"""Who may ask, for which project, how much; and what they used."""
