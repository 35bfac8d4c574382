"""Every stored page as a reader's browser shows it: whole, silent, described, and no wider than the window."""

import shutil
from html import unescape
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
from playwright.sync_api import TimeoutError as NothingCame
from playwright.sync_api import sync_playwright

from fer_lib import paths
from fer_lib.pages import PAGES

STORED = paths.ROOT / "results" / "reports"
NAMES = ("chromium", "chromium-browser", "google-chrome")

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""It also runs in a container, as root, and asks nothing of the network on its own behalf."""

PICTURES = """async () => {
  const found = [];
  for (const node of document.querySelectorAll("img, image")) {  // image: a bitmap within an SVG
    const copy = new Image();
    copy.src = node.currentSrc ?? node.href.baseVal;
    const loaded = await copy.decode().then(() => copy.naturalWidth > 0, () => false);
    if (!loaded) found.push(`image did not load: ${node.outerHTML.slice(0, 80)}`);
  }
  for (const node of document.querySelectorAll("img, svg")) {
    const words = node.getAttribute("alt") ?? node.getAttribute("aria-label") ?? "";
    if (!words.trim()) found.push(`no alternative text: ${node.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""

LINKS = """Array.from(document.querySelectorAll("a[href]"), link => link.getAttribute("href"))"""

# The code of the cells is folded away, and part of the page.
WIDTH = """() => {
  document.querySelectorAll("details").forEach(folded => folded.open = true);
  return document.documentElement.scrollWidth;
}"""


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        pytest.skip("no Chromium to open the pages in; install one, on Debian with `apt-get install chromium`")
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=found, args=QUIET)
        yield started
        started.close()


def complaints(browser, file, width=390, scheme="light") -> list[str]:
    """What is wrong with a page in a window of this width (CSS pixels), offline; scheme: light or dark."""
    window = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "offline": True}
    said, thrown, asked = [], [], []
    with browser.new_context(**window) as context:
        page = context.new_page()
        # Lambdas: playwright puts a mark on its handlers, which `list.append` does not take.
        page.on("console", lambda message: said.append(message))
        page.on("pageerror", lambda error: thrown.append(error))
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url))
        page.goto(file.as_uri())
        found = page.evaluate(PICTURES)
        found += filter(None, (broken(file, link) for link in page.evaluate(LINKS)))
        if (wide := page.evaluate(WIDTH)) > width:
            found.append(f"too wide: {wide} px")
        found += [f"console: {message.text}" for message in said if message.type == "error"]
        found += [f"page error: {error}" for error in thrown]
        found += [f"request: {url}" for url in asked if not url.startswith(("file:", "data:"))]
    return found


def broken(file, link: str) -> str | None:
    """A link within the pages has to lead to a file, and to a place in it; what lies on the network is not asked."""
    parts = urlsplit(link)
    if parts.scheme in ("http", "https", "data"):
        return None
    target = file.parent / unquote(parts.path) if parts.path else file
    if not target.is_file():
        return f"broken link: {link}"
    if parts.fragment and f'id="{unquote(parts.fragment)}"' not in unescape(target.read_text(encoding="utf-8")):
        return f"broken link: {link}"
    return None


def test_every_page_is_stored():
    assert {file.stem for file in STORED.glob("*.html")} == set(PAGES) != set()


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (390, "dark")])
@pytest.mark.parametrize("page", PAGES)
def test_a_stored_page_is_sound(browser, page, width, scheme):
    assert complaints(browser, STORED / f"{page}.html", width, scheme) == []


def pressed(page, link):
    """What the browser saves when Enter is pressed on a link. It loses one key in hundreds, which is pressed again."""
    for attempt in range(3):
        link.focus()
        try:
            with page.expect_download(timeout=10_000) as saved:
                page.keyboard.press("Enter")
            return saved.value
        except NothingCame:
            if attempt == 2:
                raise


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_offers_is_saved_by_keyboard_offline(browser, page):
    with browser.new_context(offline=True, accept_downloads=True) as context:
        opened = context.new_page()
        opened.goto((STORED / f"{page}.html").as_uri())
        links = opened.locator("a.download").all()
        for number, link in enumerate(links, 1):
            saved = pressed(opened, link)
            assert saved.suggested_filename == f"{page}-{number}.csv"
            assert len(pd.read_csv(saved.path()))
        opened.emulate_media(media="print")
        assert not any(link.is_visible() for link in links)


def test_the_map_is_filtered_and_offers_its_frames(browser):
    with browser.new_context(offline=True, accept_downloads=True) as context:
        page = context.new_page()
        page.goto((STORED / "04_embeddings.html").as_uri())
        shown, every = page.locator(".embedding-map .count"), page.locator(".embedding-map button")
        frames = int(shown.text_content().split()[2])
        every.click()
        assert shown.text_content().startswith("0 of") and every.text_content() == "all"
        page.get_by_role("checkbox", name="fear").check()
        alone = int(shown.text_content().split()[0])
        with page.expect_download() as saved:
            page.locator(".embedding-map a.download").click()
        data = pd.read_csv(saved.value.path())
        assert len(data) == frames > 0 and (data["emotion"] == "fear").sum() == alone > 0
        assert data[["x", "y"]].notna().all(axis=None) and data["frame_id"].is_unique


PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
GOOD = f"""<h1 id="a's?">A</h1> <a href="#a&#39;s%3F">here</a> <a href="good.html#a's?">there</a> <a href="https://a.b/c">far</a>
<img src="{PIXEL}" alt="a pixel"> <svg role="img" aria-label="a pixel"><image href="{PIXEL}"/></svg>
<div style="overflow-x: auto"><div style="width: 500px">wide</div></div>"""

BAD = {
    "console: oh": "<script>console.error('oh')</script>",
    "page error: oh": "<script>throw Error('oh')</script>",
    'image did not load: <img src="none.png"': '<img src="none.png" alt="none">',
    "image did not load: <image": '<svg aria-label="none"><image href="data:image/png;base64,AAAA"/></svg>',
    "no alternative text: <img": f'<img src="{PIXEL}">',
    "no alternative text: <svg": '<svg role="img" aria-label=" "></svg>',
    "broken link: none.html": '<a href="none.html">none</a>',
    "broken link: #none": '<a href="#none">none</a>',
    "broken link: good.html#none": '<a href="good.html#none">none</a>',
    "request: http://127.0.0.1:9/x": '<img src="http://127.0.0.1:9/x" alt="none">',
    "request: ws://127.0.0.1:9/x": "<script>new WebSocket('ws://127.0.0.1:9/x')</script>",
    "too wide: 500 px": '<div style="width: 500px">wide</div>',
    "too wide: 600 px": '<details><div style="width: 600px">wide</div></details>',
}
"""What has to be said -> what to say it of."""


def stored(folder, name, body):
    file = folder / f"{name}.html"
    file.write_text(f"<!DOCTYPE html><title>x</title><body style='margin: 0'>{body}", encoding="utf-8")
    return file


def test_nothing_is_said_of_a_good_page(browser, tmp_path):
    assert complaints(browser, stored(tmp_path, "good", GOOD)) == []


@pytest.mark.parametrize("complaint", BAD)
def test_a_bad_page_is_reported(browser, tmp_path, complaint):
    stored(tmp_path, "good", GOOD)
    found = complaints(browser, stored(tmp_path, "bad", BAD[complaint]))
    assert [said for said in found if said.startswith(complaint)], found
