"""The museum's web server: pictures over IIIF, records, pages."""
