import json
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from report_fakes import (
    CONVNET_ROWS,
    NASTY,
    make_dataset,
    make_evaluation,
    make_facts,
    make_finding,
    make_run,
)

from seewell.findings import Remedy
from seewell.report.facts import Facts, best_step, gather
from seewell.report.html import render, write_report

VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """Checks that every element is closed where it must be, and keeps elements and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "digits-convnet-1")


def test_the_page_says_everything_that_matters(run):
    page = Page(render(make_facts(run)))
    for words in (
        "92.0 % of the 50 test images are classified correctly.",
        "95 % interval 81.0 to 97.0 %",
        "Bias is 0.1 points",
        "high-variance",
        "seewell train digits --network convnet:widths=64-128 --augment flip,shift",
        "--l2 1e-4",
        "the network's own default",
        "2.21.0",
        "a CPU",
        "3 of 4,000 files were left out.",
        "28,901,376",
    ):
        assert words in page.text, words
    assert len(page.all("svg")) == 6


def test_the_page_needs_no_network_and_no_script(run):
    text = render(make_facts(run))
    page = Page(text)
    assert page.all("script") == []
    assert page.all("link") == []
    assert all(one["src"].startswith("data:image/png;base64,") for one in page.all("img"))
    assert "url(" not in text
    assert "@import" not in text
    (policy,) = [one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not [one for _, one in page.elements if "href" in one]


def test_the_page_can_be_read_without_seeing_it(run):
    page = Page(render(make_facts(run)))
    assert all(one.get("alt") for one in page.all("img"))
    assert all(one.get("role") == "img" and one.get("aria-label") for one in page.all("svg"))
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "en"


def test_the_page_has_colours_for_the_dark_and_rules_for_paper(run):
    text = render(make_facts(run))
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_what_comes_from_users_is_escaped_everywhere(tmp_path):
    run = make_run(tmp_path / NASTY.replace("/", "_"), num_classes=2)
    run.classes = (NASTY, "\x1b[31m\udcff")
    run.info["name"] = NASTY
    run.info["dataset"].update(name=NASTY, source=NASTY, notes=[NASTY], fingerprint=NASTY)
    run.info["versions"] = {NASTY: NASTY}
    run.info["machine"] = {"processor": NASTY}
    run.info["choices"] = [{"setting": "batch_size", "value": NASTY, "reason": NASTY}]
    run.summary["stopped"] = NASTY
    run.findings = [
        make_finding(
            code=NASTY, layer=NASTY, message=NASTY, measured=NASTY, expected=NASTY, threshold_source=NASTY,
            evidence=(make_finding(message=NASTY),), remedies=(Remedy(NASTY, NASTY, ""),),
        )
    ]  # fmt: skip
    facts = make_facts(run)
    shown = facts.evaluation
    facts = Facts(run, "test", shown, facts.shown, facts.training, CONVNET_ROWS, (NASTY,))
    text = render(facts)
    text.encode("utf-8")
    page = Page(text)
    assert page.all("script") == []
    assert "\x1b" not in text
    assert "&amp;lt;" not in text
    assert '<script>alert("x")</script>' in page.text


@pytest.mark.parametrize("num_classes", [2, 10, 100])
@pytest.mark.parametrize("test", [True, False])
def test_any_number_of_classes_with_and_without_a_test_split(tmp_path, num_classes, test):
    run = make_run(tmp_path / "run", num_classes=num_classes, test=test)
    page = Page(render(make_facts(run, test=test)))
    assert f"On the {'test' if test else 'validation'} split" in page.text
    assert ("There is no test split." in page.text) is not test


def test_a_training_that_stopped_at_once_still_has_a_report(tmp_path):
    run = make_run(tmp_path / "run", history=[], findings=[], summary={"stopped": "The cost is not finite."})
    run.info.pop("result")
    text = write_report(run, tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "Training stopped before its result was measured." in page.text
    assert "The cost is not finite." in page.text
    assert "Nothing was measured before the training ended." in page.text
    assert "there is no network.keras." in page.text
    assert "there is no folder my/digits." in page.text


def test_a_run_json_with_nothing_but_its_format_still_has_a_report(tmp_path):
    run = make_run(tmp_path / "run", history=[], findings=[], summary={}, classes=(), info={"format": 1})
    assert "Nothing was measured yet." in Page(render(Facts(run, "test"))).text


def test_gather_measures_the_test_split_of_the_runs_own_data(run, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "seewell.networks.layer_table", SimpleNamespace(layer_table=lambda network: CONVNET_ROWS)
    )
    run.data, run.has_network = make_dataset(run.classes), True
    run.evaluation = make_evaluation(run.data.test, run.classes)
    facts = gather(run)
    assert facts.split == "test"
    assert facts.shown is run.data.test
    assert facts.training is run.data.train
    assert facts.evaluation is run.evaluation
    assert facts.layers == CONVNET_ROWS
    assert facts.notes == ()


def test_data_that_has_changed_is_not_shown(run):
    run.data = make_dataset(run.classes)
    run.info["dataset"]["fingerprint"] = "another"
    facts = gather(run)
    assert facts.training is None
    assert any("changed since the training" in note for note in facts.notes)
    given = gather(run, make_dataset(run.classes))
    assert any("not the one" in note for note in given.notes)


def test_the_kept_update_is_read_from_the_checkpoints(run):
    assert best_step(run) is None
    (run.path / "checkpoints").mkdir(parents=True)
    (run.path / "checkpoints" / "BEST").write_text("step-00000120\n")
    assert best_step(run) == 120
    run.summary["best_step"] = 7
    assert best_step(run) == 7


def test_the_report_is_replaced_whole_or_not_at_all(run, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("the old one")
    monkeypatch.setattr("seewell.report.html.render", lambda facts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(run, path)
    assert path.read_text() == "the old one"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_labels_that_look_wrong_are_shown_and_entries_that_fit_no_image_are_left_out(run):
    run.path.mkdir(parents=True)
    run.data = make_dataset(run.classes)
    good = [{"index": n, "given": 1, "suggested": 2, "probability": 0.99, "path": None} for n in range(20)]
    bad = [{**good[0], "index": 40}, {**good[0], "given": -1}, {**good[0], "probability": "x"}, {"index": 1}, 7]
    (run.path / "label-issues.json").write_text(json.dumps([*bad, *good]), encoding="utf-8")
    facts = gather(run)
    assert list(facts.label_issues) == good
    page = Page(render(facts))
    assert "Labels worth a second look" in page.text
    assert len([one for one in page.all("img") if one["alt"].startswith("validation image")]) == 12
    (run.path / "label-issues.json").write_text("[", encoding="utf-8")
    assert "Labels worth a second look" not in Page(render(gather(run))).text
