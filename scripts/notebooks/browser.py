"""browser.py PAGE CHROMIUM SCREENSHOT SECONDS ROOT: runs all cells of the notebook that a page of JupyterLab shows and
prints, as JSON, what was seen: values of progress bars, how often a picture changed in place, pictures, errors."""

import json
import sys
import time

from playwright.sync_api import Error, sync_playwright

page_address, chromium, screenshot, seconds, root = sys.argv[1:6]

WATCH = """() => ({
  bars: [...document.querySelectorAll('.jp-OutputArea')].map(a => [...a.querySelectorAll('progress')].map(e => e.value)),
  pictures: [...document.querySelectorAll('.jp-OutputArea')].map(a =>
    [...a.querySelectorAll("img[src^='data:image/png']")].map(e => e.src.length + e.src.slice(-80))),
  prompts: [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(e => e.innerText),
})"""
COUNT = """() => {
  const shown = [...document.querySelectorAll(
    ".jp-RenderedImage img[src^='data:image/png'], .jp-RenderedSVG img, .jp-RenderedSVG svg")];
  const errors = document.querySelectorAll(
    ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error'], .jp-OutputArea-output .ename");
  return {figures: shown.length, broken: shown.filter(e => e.getBoundingClientRect().width < 50).length,
    tables: document.querySelectorAll('.jp-OutputArea table').length,
    errors: [...errors].map(e => e.innerText.slice(0, 500))};
}"""


def watch(page, deadline):
    """Returns the values of the bar that moved most, the most versions of one picture, and whether all is done."""
    bars, pictures, done = {}, {}, False
    while time.time() < deadline and not done:
        seen = page.evaluate(WATCH)
        for area, values in enumerate(seen["bars"]):
            for i, v in enumerate(values):
                past = bars.setdefault((area, i), [])
                if not past or past[-1] != v:
                    past.append(v)
        for area, versions in enumerate(seen["pictures"]):
            for i, v in enumerate(versions):
                pictures.setdefault((area, i), set()).add(v)
        done = bool(seen["prompts"]) and all(p.strip("[]: ").isdigit() for p in seen["prompts"])
        page.wait_for_timeout(100)
    return {
        "bar": max(bars.values(), key=len, default=[]),
        "redrawn": max((len(v) for v in pictures.values()), default=0),
        "done": done,
        "prompts": seen["prompts"],
    }


def settled(page):
    """Returns what is on the page once it has not changed for some seconds: outputs may come after the prompt."""
    last, since = None, time.time()
    while time.time() < since + 4:
        now = page.evaluate(COUNT)
        if now != last:
            last, since = now, time.time()
        page.wait_for_timeout(200)
    return last


with sync_playwright() as p:
    browser = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"] if root == "root" else [])
    try:
        # Tall, so that the picture shows all of the notebook.
        page = browser.new_page(viewport={"width": 1200, "height": 9000})
        failed = []
        page.on("requestfailed", lambda r: failed.append(r.url.split("token=")[0]))
        page.goto(page_address)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=90000)
        origin = page_address.split("/lab/")[0]
        token = page_address.split("token=")[1]
        for _ in range(300):  # the toolbar's indicator of the kernel is no guide
            kernels = page.request.get(f"{origin}/api/kernels?token={token}").json()
            if any(k["connections"] for k in kernels):
                break
            page.wait_for_timeout(200)
        page.wait_for_timeout(1000)
        start = time.time()
        page.get_by_role("menuitem", name="Edit", exact=True).click()
        page.locator(".lm-Menu-item[data-command='editmenu:clear-all']").click()
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-item[data-command='runmenu:run-all']").click()
        seen = watch(page, start + float(seconds))
        seen["seconds"] = time.time() - start
        seen.update(settled(page))
        seen["requests"] = [u for u in failed if u.startswith(origin)]
        page.screenshot(path=screenshot)
        print(json.dumps(seen))
    except Error as e:
        print(json.dumps({"failure": str(e).splitlines()[0]}))
    finally:
        browser.close()
