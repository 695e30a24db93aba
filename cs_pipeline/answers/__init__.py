"""Keep what comes back from those we wrote to, and act on it: mails, unsubscribes, clicks.

How a provider says it is in `channels`, where it comes in is in `site.outside`.
"""
