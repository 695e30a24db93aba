"""Answer those who sign in nowhere, and prove themselves otherwise: SendGrid by its signature, the reader of a
mail by its link.

These paths are answered under any host name, since a way from outside may have a name of its own. They show nothing of
the pages of the site, and set no cookie. What belongs where: a module a path; `paths` lists them.
"""
