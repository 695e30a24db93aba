"""Say how healthy the data is: sources and their age, what scores rest on, what ran last, what could not be sent.

Reads only, through the functions that `doctor`, `data rejects`, `score late` and `alert rules` read by; what each of
them says on a terminal is in `cli`.
"""
