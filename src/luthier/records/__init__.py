"""What flows through Luthier: messages, rows, documents. Level 0: nothing here imports another room.

Rows, from outside in: `files` and `hub` find files, `decoding` and `file_types` take raw values out of them, `formats`
recognises their shape, `reading` checks them and spools them to disk, `split` divides them, `duplicates` compares them.
"""
