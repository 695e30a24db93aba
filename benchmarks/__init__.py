"""How long things take and how much memory they need, as ratios to a floor in the same run. Nothing here is a test."""
