"""Assets, a module a subject. What the weekly job builds is made by functions, for the weeks that the settings know."""
