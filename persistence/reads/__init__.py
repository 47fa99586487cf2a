"""The reads behind screens: what a page of the API needs, in one statement each, always within the viewer's sight."""
