"""Who is asking, and what they may see: identities, accounts, grants, keys,
and reasons of a refusal.

Web process, manager and job child all ask here before anything is read.
Requests of HTTP belong to api, pages to layouts.
"""
