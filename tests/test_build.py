"""The build on a chapter of four cells: its parameters, its bytes, its failures, its terminal."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pexpect
import pytest
from children import begin, family, kill

from book import build, execute, site
from book.interpreter import complaint
from book.parameters import BuildError, parse

ROOT = Path(__file__).parents[1]
PROJECT = Path(__file__).parent / "book" / "project"
OFFLINE = Path(__file__).parent / "offline"
INPUTS = ("_config.yml", "_toc.yml", "book", "notebooks", "_static")


def copy_project(folder: Path) -> Path:
    for name in INPUTS:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("chapters"))
        elif source.exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEIGHBORHOODS_STORE", str(tmp_path_factory.mktemp("store")))
        path = (OFFLINE, os.environ.get("PYTHONPATH", ""))
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, path)))  # nothing is fetched
        yield copy_project(tmp_path_factory.mktemp("project") / "root")


def make(project: Path, *arguments: str) -> int:
    return build.main(["--root", str(project), "--profile", "smoke", *arguments])


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("0.8", "float", 0.8), ("1", "float", 1.0), ("inf", "float", float("inf")), ("4", "int", 4),
        ("True", "bool", True), ("3", "str", "3"), ("FC10", "str", "FC10"), ("None", "Optional[int]", None),
        ("[1, 2]", "list[int]", [1, 2]), ("x", "None", "x"),
    ],
)  # fmt: skip
def test_parameters_take_the_declared_type(text: str, annotation: str, value: object) -> None:
    read = parse("p", text, annotation)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "annotation"),
    [("x", "float"), ("2.5", "int"), ("True", "int"), ("1", "bool"), ("[1, 'a']", "list[int]")],
)
def test_parameters_of_another_type_are_refused(text: str, annotation: str) -> None:
    with pytest.raises(BuildError, match=r"parameter 'p' is .* it must be of type"):
        parse("p", text, annotation)


@pytest.mark.book
def test_builds_once_then_does_nothing(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert make(project) == 0
    said = capfd.readouterr().err
    assert str(site.html(project) / "index.html") in said
    assert " s)" in said
    assert "it/s" not in said, "there is no terminal, so no bar"
    log = (project / "_build" / "build.log").read_text()
    assert "WARNING" not in log
    page = (site.html(project) / "book" / "chapters" / "tiny.html").read_text()
    assert 'id="fig-line"' in page
    made = (site.html(project) / "book" / "chapters" / "provenance.html").read_text()
    assert all(word in made for word in ("A tiny chapter", "smoke", "torch", "cpu"))
    origins = json.loads((project / "book" / "chapters" / "origins.json").read_text())
    assert origins["tiny"] | {"commit": ""} == {
        "profile": "smoke",
        "commit": "",
        "seed": "none",
        "device": "cpu",
    }
    assert "gamma = " not in page.replace("gamma: float", ""), "injected parameters are hidden"
    assert (site.html(project) / "_static" / "mathjax" / site.MATHJAX).stat().st_size > 1_000_000
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.name != ".lock"}
    start = time.monotonic()
    assert make(project) == 0
    assert time.monotonic() - start < 10
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.name != ".lock"} == before
    assert "up to date" in capfd.readouterr().err


@pytest.mark.book
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-p", "gama", "2"], ["gama", "'2'", "gamma", "points"]),
        (["-p", "points", "2.5"], ["points", "'2.5'", "int"]),
        (["--parameters", "points"], ["points", "name=value"]),
        (["-p", "profile", "quick"], ["profile", "PROFILE"]),
        (["--profile", "big"], ["profile", "'big'", "smoke, quick, paper"]),
        (["--chapter", "none"], ["chapter", "'none'", "tiny"]),
        (["--parameters", "gamma=1.5 points=2"], ["tiny", "ValueError", "gamma is 1.5", "(0, 1)"]),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_published(
    project: Path, arguments: list[str], words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    site.html(project).mkdir(parents=True, exist_ok=True)
    assert make(project, *arguments) == 1
    said = capfd.readouterr().err
    assert all(word in said for word in words), said
    assert "Traceback" not in said
    assert "no page was published" in said
    assert not site.html(project).exists()


@pytest.mark.book
def test_the_old_book_returns_with_the_old_arguments(project: Path) -> None:
    assert make(project) == 0
    assert make(project, "-p", "gamma", "3") == 1
    assert not site.html(project).exists()
    start = time.monotonic()
    assert make(project) == 0
    assert time.monotonic() - start < 10
    assert (site.html(project) / "index.html").exists()


@pytest.mark.book
def test_a_warning_of_sphinx_fails_the_build(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    index = project / "book" / "index.md"
    text = index.read_text()
    index.write_text(text + "\n{ref}`nowhere`\n")
    assert make(project) == 1
    assert "nowhere" in capfd.readouterr().err
    index.write_text(text)
    assert not site.html(project).exists()


@pytest.mark.book
def test_two_clean_executions_are_the_same_bytes(project: Path) -> None:
    chapter = execute.chapter(project / "notebooks" / "tiny.md", "smoke", {"gamma": 0.8})
    notebooks = [execute.execute(chapter) for _ in range(2)]
    assert notebooks[0] == notebooks[1]
    notebook = nbformat.reads(notebooks[0].decode(), as_version=4)
    assert dict(notebook.metadata) == {"kernelspec": execute.KERNELSPEC, "used": []}
    assert not any({"papermill", "execution"} & set(cell.metadata) for cell in notebook.cells)
    injected = [cell for cell in notebook.cells if "injected-parameters" in cell.metadata.get("tags", [])]
    assert ["remove-cell" in cell.metadata["tags"] for cell in injected] == [False], "other values are shown"
    assert "gamma = 0.8" in injected[0].source
    assert 'profile = "smoke"' in injected[0].source
    assert "image/svg+xml" in json.dumps(notebook)


@pytest.mark.book
def test_bars_reach_the_terminal_and_no_cell(project: Path) -> None:
    arguments = [
        "-m",
        "book.build",
        "--root",
        str(project),
        "--profile",
        "smoke",
        "--no-html",
        "-p",
        "points",
        "7",
    ]
    session = pexpect.spawn(sys.executable, arguments, cwd=str(ROOT), timeout=120, dimensions=(24, 90))
    session.expect(pexpect.EOF)
    assert b"points:" in session.before
    assert b"tiny:" in session.before
    session.close()
    notebook = (project / "book" / "chapters" / "tiny.ipynb").read_text()
    assert "7 line" in notebook
    assert "points:  " not in notebook
    assert '"stderr"' not in notebook


@pytest.mark.book
def test_the_kernel_is_this_interpreter(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoy = tmp_path / "kernels" / "python3"
    decoy.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Decoy", "language": "python"}
    (decoy / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    source = project / "notebooks" / "tiny.md"
    said = source.read_text().replace("print(points, label)", "print(sys.executable)")
    (tmp_path / "who.md").write_text(said)
    notebook = execute.execute(execute.chapter(tmp_path / "who.md", "smoke", {}))
    assert json.dumps(sys.executable)[1:-1] in notebook.decode()


def build_with(store: Path, project: Path, *options: str) -> None:
    """Build in a process that can be killed."""
    os.environ["NEIGHBORHOODS_STORE"] = str(store)
    sys.exit(make(project, *options))


@pytest.mark.book
@pytest.mark.faults
@pytest.mark.parametrize("chapters", [1, 2])
def test_a_killed_build_takes_its_kernels_along_and_resumes(tmp_path: Path, chapters: int) -> None:
    project = copy_project(tmp_path / "root")
    source = project / "notebooks" / "tiny.md"
    text = source.read_text()
    source.write_text(text.replace("print(points, label)", "import time; time.sleep(60)"))
    if chapters > 1:
        (project / "notebooks" / "second.md").write_text(source.read_text())
    process = begin(build_with, tmp_path / "store", project, "--no-html")
    kill(process, family(process, "ipykernel_launcher", chapters))
    source.write_text(text)
    process = begin(build_with, tmp_path / "store", project, "--no-html", "--chapter", "tiny")
    process.join()
    assert process.exitcode == 0
    assert (project / "book" / "chapters" / "tiny.ipynb").exists()
    assert list((tmp_path / "store").glob(".*.tmp")) == []


@pytest.mark.book
@pytest.mark.faults
def test_a_build_killed_over_its_pages_makes_them_again(project: Path) -> None:
    assert make(project, "--no-html") == 0
    index = project / "book" / "index.md"
    index.write_text(index.read_text() + "\nAn added line.\n")
    process = begin(build_with, Path(os.environ["NEIGHBORHOODS_STORE"]), project)
    kill(process, family(process, "jupyter_book"))
    assert make(project) == 0
    assert "An added line." in (site.html(project) / "book" / "index.html").read_text()
    assert not (project / "_build" / "work").exists()


@pytest.mark.book
@pytest.mark.faults
def test_two_builds_on_one_store_execute_a_chapter_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    projects = [copy_project(tmp_path / name) for name in ("one", "two")]
    for project in projects:
        source = project / "notebooks" / "tiny.md"
        line = f"print('executed', file=open({str(log)!r}, 'a'))"
        source.write_text(source.read_text().replace("print(points, label)", line))
    builds = [begin(build_with, tmp_path / "store", project, "--no-html") for project in projects]
    for build_process in builds:
        build_process.join()
    assert [process.exitcode for process in builds] == [0, 0]
    assert log.read_text() == "executed\n"
    one, two = (project / "book" / "chapters" / "tiny.ipynb" for project in projects)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.book
@pytest.mark.parametrize("place", [".", "notebooks"])
def test_plain_papermill_runs_a_chapter_from_anywhere(project: Path, tmp_path: Path, place: str) -> None:
    scripts = Path(sys.executable).parent
    lines = (
        f"{scripts}/jupytext --to ipynb -o - {project}/notebooks/tiny.md"
        f" | {scripts}/papermill - {tmp_path}/out.ipynb -p points 4 -p profile smoke --no-progress-bar"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", lines], cwd=project / place, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "4 line" in (tmp_path / "out.ipynb").read_text()


DIGEST = """
import sys
from pathlib import Path
from book import execute
from neighborhoods import digests

source, package = Path(sys.argv[1]), Path(digests.__file__).parent
for name, text in (("kernels/unrelated", ""), ("store", "NEW = 1"), ("kernels/statistics", "NEW = 1")):
    print(execute.chapter(source, "smoke", {}).code)
    with (package / f"{name}.py").open("a") as stream:
        stream.write(text + chr(10))
    for cached in (digests._graph, digests._source):
        cached.cache_clear()
print(execute.chapter(source, "smoke", {}).code)
"""


@pytest.mark.book
def test_a_chapter_depends_on_the_kernels_it_imports_and_no_others(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "lib"), str(ROOT)])}
    command = [sys.executable, "-c", DIGEST, str(PROJECT / "notebooks" / "tiny.md")]
    start, unrelated, machinery, kernel = subprocess.check_output(command, env=environment).split()
    assert start == unrelated == machinery
    assert kernel != start


def test_a_chapter_depends_on_the_tables_of_the_repository(tmp_path: Path) -> None:
    source = tmp_path / "notebooks" / "one.md"
    source.parent.mkdir()
    source.write_text("# One\n")
    table = tmp_path / "results" / "paper" / "row.csv"
    table.parent.mkdir(parents=True)
    seen = []
    for text in ("a,1\n", "a,1\n", "a,2\n"):
        table.write_text(text)
        seen.append(execute.chapter(source, "smoke", {}))
    assert seen[0] == seen[1]
    assert seen[1] != seen[2]


def test_pythons_outside_the_bounds_are_refused() -> None:
    project = 'requires-python = ">=3.11,<3.14"'
    assert complaint("3.11.0", project) == complaint("3.13.9", project) == ""
    assert "Python is 3.10.13; at least 3.11 and less than 3.14" in complaint("3.10.13", project)
    assert complaint("3.14.0", project) != ""
