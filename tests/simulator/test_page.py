"""The page at / in a real browser: it updates by itself, and runs nothing that clients send."""

import http.client

import httpx
import pytest
from playwright.sync_api import expect

from support.browser import browser

__all__ = ["browser"]
expect.set_options(timeout=30_000)
GROUP = "/apis/ngpc.rxt.io/v1"
POOL = "0a6e2c1e-7a53-5c5e-9d7c-0f4a0a4b9a01"
KINDS = {"cloudspaces": "CloudSpace", "spotnodepools": "SpotNodePool"}
EVIL = "<img src=x onerror=window.ran=1>"
CONTRAST = """
(selectors) => {
  document.getAnimations().forEach((each) => each.finish());
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (c) => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
    const [r, g, b] = parts(color).map((c) => linear(c / 255));
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const behind = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return parts(color)[3] === 0 && element.parentElement ? behind(element.parentElement) : color;
  };
  return Object.fromEntries(selectors.map((selector) => {
    const element = document.querySelector(selector);
    const both = [light(getComputedStyle(element).color), light(behind(element))];
    return [selector, (Math.max(...both) + .05) / (Math.min(...both) + .05)];
  }));
}
"""


@pytest.fixture
def open_page(browser):
    """Open the live page of a simulator. Fails at the end if the console has errors other than network errors."""
    contexts, complaints = [], []

    def note(message):
        if message.type in ("error", "warning") and "net::ERR_" not in message.text:
            complaints.append(message.text)

    def start(about, **options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(about["base_url"])
        expect(page.locator("#link")).to_have_text("live")
        expect(page.get_by_role("tab").first).to_be_visible()
        return page

    yield start
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def caller():
    """Create tenants that send HTTP requests to a simulator."""
    clients = []

    def make(about):
        clients.append(Caller(about))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


class Caller(httpx.Client):
    """An HTTP client logged in as a tenant."""

    def __init__(self, about):
        super().__init__(base_url=about["base_url"], timeout=60, trust_env=False)
        form = {"grant_type": "refresh_token", "client_id": "x", "refresh_token": about["refresh_token"]}
        self.headers["Authorization"] = f"Bearer {self.post('/oauth/token', data=form).json()['id_token']}"
        (organization,) = self.get("/apis/auth.ngpc.rxt.io/v1/organizations").json()["organizations"]
        self.namespace = organization["metadata"]["namespace"]

    def path(self, plural, name=""):
        """The path of a collection or an object."""
        return f"{GROUP}/namespaces/{self.namespace}/{plural}{'/' if name else ''}{name}"

    def create(self, plural, name, spec, **metadata):
        """POST an object."""
        body = {"apiVersion": "ngpc.rxt.io/v1", "kind": KINDS[plural], "metadata": {"name": name, **metadata}}
        assert self.post(self.path(plural), json={**body, "spec": spec}).status_code == 201

    def cloudspace(self, name="prod", **spec):
        """Create a cloudspace."""
        usual = {"region": "us-central-ord-1", "kubernetesVersion": "1.31.1"}
        self.create("cloudspaces", name, usual | spec, annotations={"note": EVIL})

    def pool(self, **spec):
        """Create a spot pool in `prod`."""
        usual = {"serverClass": "ch.vs1.large-ord", "cloudSpace": "prod", "desired": 1, "bidPrice": "0.02"}
        self.create("spotnodepools", POOL, usual | spec)


def rows(page, section, text):
    """The rows of a section's table that contain a text."""
    return page.locator(f"#{section} tbody tr", has_text=text)


def tab(page, kind):
    """The tab of a kind."""
    return page.get_by_role("tab", name=kind)


def test_objects_appear_and_update_without_a_reload(serve, open_page, caller):
    """From creation to the last phase, with a count in the tab."""
    about = serve("--time-scale", "100")[1]
    page = open_page(about)
    page.evaluate("window.same = true")
    expect(tab(page, "CloudSpace 0").first).to_have_attribute("aria-selected", "true")
    caller(about).cloudspace()
    expect(tab(page, "CloudSpace 1").first).to_be_visible()
    expect(rows(page, "objects", "prod")).to_contain_text("us-central-ord-1")
    expect(rows(page, "objects", "prod")).to_contain_text("NoWinningBids")
    assert page.evaluate("window.same")


def test_an_object_being_deleted_is_struck_out(serve, open_page, caller):
    """And then disappears from the page."""
    about = serve("--time-scale", "20")[1]
    tenant, page = caller(about), open_page(about)
    tenant.cloudspace()
    expect(rows(page, "objects", "prod")).to_be_visible()
    tenant.delete(tenant.path("cloudspaces", "prod"))
    expect(page.locator("#objects tr.going", has_text="prod")).to_be_visible()
    expect(rows(page, "objects", "prod")).to_have_count(0)


def test_tabs_select_a_kind(serve, open_page, caller):
    """The table has kubectl's columns. One tab is selected at a time, and stays selected after events."""
    about = serve("--time-scale", "0")[1]
    tenant, page = caller(about), open_page(about)
    tab(page, "SpotNodePool").click()
    expect(page.get_by_role("tab", selected=True)).to_have_text("SpotNodePool 0")
    tenant.cloudspace()
    tenant.pool()
    expect(page.get_by_role("tab", selected=True)).to_have_text("SpotNodePool 1")
    headings = page.locator("#objects thead th")
    expect(headings).to_have_text(["Name", "CloudSpace", "Class", "Bid", "Desired", "Won", "Status"])
    expect(rows(page, "objects", POOL)).to_contain_text("0.02")


def test_a_class_with_bids_has_a_chart_with_the_bid(serve, open_page, caller):
    """With the market price as a line, the bid as a dashed line above it, and the price as a number."""
    about = serve("--time-scale", "0")[1]
    tenant, page = caller(about), open_page(about)
    expect(page.locator("#prices .none")).to_be_visible()
    tenant.cloudspace()
    tenant.pool()
    chart = page.locator("#prices figure", has_text="ch.vs1.large-ord")
    expect(chart.locator("figcaption")).to_contain_text("$0.0")
    expect(chart.locator("line.bid")).to_have_count(1)
    expect(page.locator("#prices .none")).to_be_hidden()
    bid = float(chart.locator("line.bid").get_attribute("y1"))
    market = float(chart.locator("path.market").get_attribute("d").split(" ")[1].split("H")[0])
    assert 0 < bid < market <= 100


def test_a_changing_price_has_a_chart(serve, open_page):
    """Even without bids."""
    about = serve("--time-scale", "0")[1]
    page = open_page(about)
    order = {"class": "gp.vs1.large-dfw", "price": "0.123"}
    assert httpx.post(f"{about['base_url']}/simulator/price", json=order, trust_env=False).status_code == 200
    expect(page.locator("#prices figure", has_text="gp.vs1.large-dfw")).to_contain_text("$0.123/h")


def test_the_log_shows_requests_as_they_arrive(serve, open_page, caller):
    """Newest first, with scripted faults marked."""
    about = serve("--time-scale", "0", "--fault", "GET vmpools: 503", "--fault", "GET vmcloudspaces: reset-before")[1]
    page = open_page(about)
    tenant = caller(about)
    expect(rows(page, "requests", "/oauth/token")).to_contain_text("200")
    tenant.get(tenant.path("vmpools"))
    with pytest.raises(httpx.HTTPError):
        tenant.get(tenant.path("vmcloudspaces"))
    tenant.get(tenant.path("nothing"))
    expect(rows(page, "requests", "…/vmpools")).to_contain_text("GET vmpools: 503")
    expect(rows(page, "requests", "…/vmpools").locator(".bad").first).to_have_text("503")
    expect(rows(page, "requests", "…/vmcloudspaces")).to_contain_text("reset")
    expect(rows(page, "requests", "…/nothing").locator(".warn")).to_have_text("404")
    expect(page.locator("#requests tbody tr").first).to_contain_text("…/nothing")


def test_input_from_clients_is_shown_but_never_executed(serve, open_page, caller):
    """In an object, an annotation, a path, a user agent and the text of a fault."""
    about = serve("--time-scale", "0", "--fault", f"{EVIL.replace(' ', '/')}: 503")[1]
    tenant, page = caller(about), open_page(about)
    tenant.cloudspace(kubernetesVersion=EVIL, cloud=EVIL, webhook=EVIL)
    # Other client libraries would encode the path.
    line = http.client.HTTPConnection(about["base_url"].removeprefix("http://"), timeout=10)
    line.request("GET", f"/{EVIL.replace(' ', '/')}", headers={"User-Agent": EVIL.replace(" ", "/")})
    assert line.getresponse().status == 503
    line.close()
    expect(rows(page, "objects", "prod")).to_contain_text(EVIL)
    expect(rows(page, "requests", "/<img/src=x").locator(".wide")).to_contain_text(f"/{EVIL.replace(' ', '/')}")
    assert page.locator("img").count() == 0
    assert page.evaluate("window.ran") is None


def test_the_page_can_run_only_its_own_code(serve, open_page):
    """The policy blocks injected scripts, and nothing is loaded from elsewhere."""
    about = serve("--time-scale", "0")[1]
    policy = httpx.get(about["base_url"], trust_env=False).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = open_page(about)
    fetched = page.evaluate("performance.getEntriesByType('resource').map((each) => new URL(each.name).origin)")
    assert set(fetched) == {about["base_url"]}


def test_the_page_survives_a_restart_of_the_server(serve, stop, open_page, caller, tmp_path):
    """It shows `lost` while the server is down, and reconnects and shows new objects when it is back."""
    state = str(tmp_path / "world.db")
    process, about, _ = serve("--time-scale", "0", "--state", state)
    page = open_page(about)
    assert stop(process) == 0
    expect(page.locator("#link")).to_have_text("lost")
    port = about["base_url"].rpartition(":")[2]
    again = serve("--time-scale", "0", "--state", state, "--port", port)[1]
    expect(page.locator("#link")).to_have_text("live")
    caller(again).cloudspace("second")
    expect(rows(page, "objects", "second")).to_be_visible()


def test_the_log_continues_after_a_restart(serve, stop, open_page, caller):
    """Although the new server numbers its requests from one."""
    process, about, _ = serve("--time-scale", "0")
    page, tenant = open_page(about), caller(about)
    for _ in range(5):
        tenant.get(tenant.path("cloudspaces"))
    expect(rows(page, "requests", "…/cloudspaces")).to_have_count(5)
    assert stop(process) == 0
    expect(page.locator("#link")).to_have_text("lost")
    again = serve("--time-scale", "0", "--port", about["base_url"].rpartition(":")[2])[1]
    expect(page.locator("#link")).to_have_text("live")
    tenant = caller(again)
    tenant.get(tenant.path("vmpools"))
    expect(rows(page, "requests", "…/vmpools")).to_have_count(1)


def test_tabs_can_be_used_with_the_keyboard(serve, open_page):
    """The Tab key reaches each in order; Enter and Space select one."""
    page = open_page(serve("--time-scale", "0")[1])
    kinds = [text.split(" ")[0] for text in page.get_by_role("tab").all_inner_texts()]
    reached = []
    for _ in kinds:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.split(' ')[0]"))
    assert reached == kinds
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", selected=True)).to_contain_text(kinds[-1])
    tab(page, "Region").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("tab", selected=True)).to_contain_text("Region")


def test_the_keyboard_focus_survives_an_update(serve, open_page, caller):
    """An event does not move the focus from a tab."""
    about = serve("--time-scale", "0")[1]
    page = open_page(about)
    tab(page, "Region").focus()
    caller(about).cloudspace()
    expect(rows(page, "objects", "prod")).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "Region 8"


def test_the_displayed_clock_runs_without_events(serve, open_page):
    """In a world without changes."""
    page = open_page(serve("--time-scale", "1", "--start", "2026-08-17T00:10:00Z")[1])
    before = page.locator("#now").inner_text()
    # The timeout ends before the next auction, half a minute after the start, which would send an event.
    expect(page.locator("#now")).not_to_have_text(before, timeout=15_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(serve, open_page, caller, scheme):
    """In the light and the dark scheme, with the contrast that WCAG requires for small text."""
    about = serve("--time-scale", "0", "--fault", "GET vmpools: 503")[1]
    tenant, page = caller(about), open_page(about, color_scheme=scheme)
    tenant.cloudspace()
    tenant.get(tenant.path("vmpools"))
    tenant.get(tenant.path("nothing"))
    expect(rows(page, "requests", "…/nothing")).to_be_visible()
    expect(rows(page, "objects", "prod")).to_be_visible()
    plain = ["h1", "h1 span", "h2", "dt", "dd", "small", "#objects th", "#objects td", "#requests td", "#prices .none"]
    tones = ["#requests .good", "#requests .warn", "#requests .bad", "[aria-selected=true]", "[aria-selected=false]"]
    contrast = page.evaluate(CONTRAST, [*plain, *tones])
    assert {selector: ratio for selector, ratio in contrast.items() if ratio < 4.5} == {}
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red + green + blue < 3 * 64) == (scheme == "dark")


def test_a_narrow_page_has_one_column(serve, open_page, caller):
    """It fits a phone without horizontal scrolling."""
    about = serve("--time-scale", "0")[1]
    tenant = caller(about)
    tenant.cloudspace()
    tenant.pool()
    page = open_page(about, viewport={"width": 400, "height": 800})
    expect(rows(page, "objects", "prod")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    boxes = [page.locator(f"#{name}").bounding_box() for name in ("prices", "objects", "requests")]
    assert len({box["x"] for box in boxes}) == 1
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
