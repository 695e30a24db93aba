"""Write cookies: for this site only, read by no script, and only over https where the site is."""

from http.cookies import SimpleCookie


def cookie_header(name: str, value: str, *, is_https: bool, max_age: int | None = None) -> str:
    """The value of a Set-Cookie header; with `max_age` 0 the browser forgets the cookie."""
    cookie: SimpleCookie = SimpleCookie({name: value})
    morsel = cookie[name]
    morsel["path"] = "/"
    morsel["httponly"] = True
    morsel["samesite"] = "Lax"
    if is_https:
        morsel["secure"] = True
    if max_age is not None:
        morsel["max-age"] = max_age
    return morsel.OutputString()
