"""Write messages: from a step, its template and the facts of an account to what a reader sees."""
