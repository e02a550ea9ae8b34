"""The addresses of a work's picture and page, each built in one place.

The IIIF size `!w,h` fits a picture into a box and never crops it; asking always for the same box
lets the museum's own cache answer. Source: IIIF Image API 2.1, section 4.2.
"""

# What a page may lead to, as a regular expression: never a script, or a file.
WEB_ADDRESS = r"^https?://[^/\s?#]+([/?#]\S*)?$"


def image_url(iiif_url: str, box: int) -> str:
    """Return the address of the picture fitted into a square of `box` pixels."""
    return f"{iiif_url}/full/!{box},{box}/0/default.jpg"


def artwork_url(page: str, object_id: int) -> str:
    """Return the address of the museum's page about a work; `page` has `{}` for its id."""
    return page.format(object_id)
