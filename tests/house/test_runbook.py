"""The runbook is complete: every alert has its section, every command is run or says why not."""

import re
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.runbook.reading import recipes, text

pytestmark = pytest.mark.unit

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
RULES: Final = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
QUESTIONS: Final = ("Means", "Look", "Do", "Over")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_FENCED: Final = re.compile(r"```.*?```", re.DOTALL)
# Written for operators and engineers, and read in a hurry: no link of theirs may lead nowhere.
PAGES: Final = ("runbook.md", "operations.md", "changing.md", "decisions/README.md", "../README.md")


def alerts() -> list[dict[str, Any]]:
    groups = chain.from_iterable(yaml.safe_load(path.read_text())["groups"] for path in RULES)
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def anchors(page: str) -> set[str]:
    return {anchor(each) for each in re.findall(r"^#+ (.+)$", _FENCED.sub("", page), re.MULTILINE)}


def section(name: str) -> str:
    """What stands under the heading with this anchor."""
    parts = re.split(r"^### (.+)$", text(), flags=re.MULTILINE)
    return dict(zip(map(anchor, parts[1::2]), parts[2::2], strict=True))[name]


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert["alert"])
def test_every_alert_has_its_section(alert: dict[str, Any]) -> None:
    page, _, name = alert["annotations"]["runbook_url"].rpartition("#")
    assert page.endswith("docs/runbook.md")
    assert name.replace("-", "") == alert["alert"].lower()
    for question in QUESTIONS:
        assert f"- **{question}**: " in section(name)


def test_no_section_is_of_an_alert_that_is_gone() -> None:
    of_alerts = text().partition("\n## Alerts\n")[2]
    named = {each["annotations"]["runbook_url"].rpartition("#")[2] for each in alerts()}
    assert anchors(of_alerts) == named


def test_every_command_is_run_or_says_why_not() -> None:
    for recipe in recipes():
        assert recipe.name or recipe.reason, recipe.commands
    names = [each.name for each in recipes() if each.name]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", PAGES)
def test_no_link_leads_nowhere(name: str) -> None:
    page = DOCS / name
    for link in _LINK.findall(page.read_text()):
        if "://" in link:
            continue
        path, _, wanted = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not wanted or wanted in anchors(target.read_text()), link


def test_every_decision_is_in_the_list() -> None:
    listed = (DOCS / "decisions/README.md").read_text()
    pages = {path.name for path in (DOCS / "decisions").glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"]({name})" not in listed} == set()
