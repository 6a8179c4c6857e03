"""What the program has stands in the documents, and what the documents name exists."""

import re
from pathlib import Path

import pytest

from tests.documents import PAGES, PROJECT, Block, blocks
from voice_transcriber.errors import TranscriberError
from voice_transcriber.settings import SETTINGS, Setting

SETTINGS_PAGE = (PROJECT / "docs/reference/settings.md").read_text(encoding="utf-8")
ERRORS_PAGE = (PROJECT / "docs/reference/errors.md").read_text(encoding="utf-8")
ENV_EXAMPLE = (PROJECT / ".env.example").read_text(encoding="utf-8")
BLOCKS = list(blocks())
COMMAND = re.compile(r"\$ |(\.venv/bin/)?(python|pip|curl|make|docker|cp|mkdir)3? ")


def setting_name(setting: Setting) -> str:
    return setting.name


def codes(kind: type[TranscriberError]) -> set[str]:
    return {kind.code}.union(*(codes(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize("setting", SETTINGS, ids=setting_name)
def test_a_setting_and_its_default_stand_in_the_reference(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else "(empty)"
    (row,) = re.findall(rf"^\| `{setting.name}` \| (.*)$", SETTINGS_PAGE, re.MULTILINE)
    assert row.startswith(f"{default} | ")
    assert [alias for alias in setting.aliases if f"`{alias}`" not in row] == []


@pytest.mark.parametrize("setting", SETTINGS, ids=setting_name)
def test_a_setting_and_its_default_stand_in_env_example(setting: Setting) -> None:
    assert f"#{setting.name}={setting.default}" in ENV_EXAMPLE.splitlines()


def test_the_reference_names_no_setting_that_is_gone() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", SETTINGS_PAGE, re.MULTILINE))
    named |= set(re.findall(r"^#([A-Z_]+)=", ENV_EXAMPLE, re.MULTILINE))
    assert named == {setting.name for setting in SETTINGS}


def test_every_error_code_is_explained_and_none_that_is_gone() -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", ERRORS_PAGE, re.MULTILINE))
    families = set(re.findall(r"`([a-z_]+)`", ERRORS_PAGE.split("## Families")[1]))
    assert rows | families == codes(TranscriberError)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_a_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_names_its_language(block: Block) -> None:
    assert block.language
    assert block.is_shell or not COMMAND.match(block.code)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.is_shell], ids=str)
def test_a_shell_block_is_run_by_a_test_or_says_why_not(block: Block) -> None:
    """tests/integration/test_docs_commands.py runs those in bash's language."""
    assert block.language == "sh" or "not run" in block.notes
    assert set(block.notes) <= {"not run", "job", "server", "folder"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_block_is_overlooked(page: Path) -> None:
    fences = re.findall(r"^\s*(?:```|~~~)", page.read_text(encoding="utf-8"), re.MULTILINE)
    name = page.relative_to(PROJECT).as_posix()
    assert len(fences) == 2 * sum(block.page == name for block in BLOCKS)
