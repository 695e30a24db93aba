"""Jobs: what a schedule, a sensor or a person launches. An op that one job alone has stands beside it."""
