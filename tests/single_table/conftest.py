from tests.support.databases import db, no_waiting, twin, url

__all__ = ["db", "no_waiting", "twin", "url"]
