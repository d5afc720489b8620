"""Anything people have (files, archives, mails, web pages) becomes documents; documents are cleaned and cut."""
