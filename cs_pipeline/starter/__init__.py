"""A team's own project: what `cs-pipeline init` writes.

Its files stand in `project` as they are written, `dot_gitignore` for `.gitignore`. What a setting, a model or a rule
means is not here.
"""
