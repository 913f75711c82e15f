"""README's promises that can be run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def run_example(number):
    names: dict = {}
    code = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)[number]
    exec(compile(code, "README.md", "exec"), names)  # noqa: S102
    return names


def test_the_python_example_runs_as_it_stands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = run_example(0)
    assert names["probabilities"].shape == (len(names["dataset"].test), 10)
    assert names["run"].summary["test_accuracy"] > 0.9
    assert "high-variance" in capsys.readouterr().out


def test_the_doctors_example_finds_what_it_says(capsys):
    first = run_example(1)["doctor"].findings[0]
    assert (first.severity, first.code, first.remedies[0].keras) == (
        "critical",
        "init-too-large",
        'kernel_initializer="he_normal"',
    )
    assert "init-too-large" in capsys.readouterr().out


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")], key=str), ids=lambda p: p.name
)
def test_every_link_to_a_file_leads_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [t for t in targets if "://" not in t and not (page.parent / t).exists()]
    assert missing == []


def test_every_command_in_the_readme_exists():
    from typer.main import get_command

    from seewell.cli.main import app

    known = set(get_command(app).commands)
    used = set(re.findall(r"(?:^|`)seewell ([a-z]+)", README, flags=re.MULTILINE))
    assert used
    assert used <= known


def test_no_figure_is_left_to_fill_in():
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.toml"), ROOT / "README.md"]
    left = [(page.name, found) for page in pages for found in re.findall(r"@[A-Za-z0-9]+@", page.read_text("utf-8"))]
    assert left == []
