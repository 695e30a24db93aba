"""PostgreSQL: connect, bulk read and write, the source contract's loader, migrations of the `cs` schema, the embedded
server. Nothing here knows what a score or a play is.
"""
