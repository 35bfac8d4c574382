"""What a page links to, and what it loads."""

from html.parser import HTMLParser


class Links(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.links, self.loaded = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag in ("link", "img", "iframe", "source") or (tag == "script" and "src" in given):
            self.loaded.append(given.get("src", given.get("href", "")))
