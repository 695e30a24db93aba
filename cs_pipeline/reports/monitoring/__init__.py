"""Figures by which a monitoring system watches the installation: due actions, ticks, the newest week, sources, alerts.

Read by programs only; what people read of the same is in `data_health`. Over which address they are asked for is the
site's.
"""
