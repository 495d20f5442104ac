"""Why something takes no part."""


class Missing(Exception):
    """It isn't there, or it failed; the text is one line that says what to do."""


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
