"""The desk's pages for people; one file a page, with its routes and what it may be asked."""
