"""Plays: what starts one, who is enrolled, what is due, what must not go out, and what came of it.

Knows whom to contact, when and why. How a message looks is `rendering`; how it leaves is the `channels`
package.
"""
