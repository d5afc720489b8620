"""What must not be lost: rows of the database, blobs, jobs.

SQLite and a folder by default, Postgres and object storage by URL.
"""
