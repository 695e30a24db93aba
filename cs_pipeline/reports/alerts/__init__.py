"""Alerts for their readers: what is open, how rules do, one alert with its story, and what a rule would find now."""
