"""Execute a chapter: MyST Markdown in, an executed notebook out, the same bytes for the same digest."""

import os
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import jupytext
import nbformat
import papermill
import torch
from IPython.core.inputtransformer2 import TransformerManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from neighborhoods import progress
from neighborhoods.digests import digest, imported_modules, imports_digest
from neighborhoods.store import USED
from traitlets.config import Config

from book.parameters import BuildError, Parameter

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
# What draws and shows the results; the libraries that compute them are in every digest already.
LIBRARIES = ("matplotlib", "seaborn", "pandas", "ipykernel", "nbclient", "papermill", "jupytext", "myst-nb")
TABLES = ("data/draft", "results")
SALT = "neighborhoods"
PLAIN = ("ValueError", "StoreError")  # whose message says what to do

# Errors of cells come as outputs; what the kernel logs beyond them is that it was told to stop.
KERNEL_CONFIG = """\
c.IPKernelApp.log_level = 50
c.HistoryManager.enabled = False
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
"""
MATPLOTLIBRC = f"svg.hashsalt: {SALT}\n"


@dataclass(frozen=True)
class Chapter:
    """Everything that an executed chapter depends on.

    Attributes:
        name: of its source, `notebooks/NAME.md`.
        source: the text of that file.
        profile: the sizes it runs with.
        parameters: further parameters, by name.
        code: digest of the modules it imports.
        files: digest of the small tables that come with the repository and that a chapter may read.
        libraries: versions of what draws and executes it.
        device: what its kernels may run on.
    """

    name: str
    source: str
    profile: str
    parameters: tuple[tuple[str, Parameter], ...]
    code: str
    files: str
    libraries: tuple[tuple[str, str], ...]
    device: str


def read(source: str) -> NotebookNode:
    """The notebook of a chapter's text, for the kernel `python3`."""
    notebook: NotebookNode = jupytext.reads(source, fmt="md:myst")
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)
    return notebook


def chapter(path: Path, profile: str, parameters: Mapping[str, Parameter]) -> Chapter:
    """Describe the execution of a chapter from its source file."""
    source = path.read_text(encoding="utf-8")
    modules = {
        name for cell in read(source).cells if cell.cell_type == "code" for name in _imports(cell.source)
    }
    libraries = tuple((name, version(name)) for name in LIBRARIES)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    given = tuple(sorted(parameters.items()))
    code, files = imports_digest(sorted(modules)), _files(path.parents[1])
    return Chapter(path.stem, source, profile, given, code, files, libraries, device)


def _files(root: Path) -> str:
    """Digest of the tables under `TABLES`, each with its path."""
    tables = sorted(path for folder in TABLES for path in (root / folder).rglob("*") if path.is_file())
    return digest(*(part for path in tables for part in (path.name, path.read_text(encoding="utf-8"))))


def execute(spec: Chapter) -> bytes:
    """Execute a chapter with papermill and tidy it.

    Raises:
        BuildError: where a cell fails; an error in `PLAIN` is told in one line, any other with its traceback.
    """
    notebook = read(spec.source)
    given = dict(spec.parameters)
    if "profile" in papermill.inspect_notebook(notebook):
        given["profile"] = spec.profile
    progress.message(f"{spec.name}: executing with profile {spec.profile}")
    try:
        with kernel_environment() as folder:
            done = _run(notebook, given, spec.name, folder)
            return tidy(done, hidden=not spec.parameters, used=_used(folder))
    except papermill.PapermillExecutionError as error:
        told = f"{spec.name}: {error.ename}: {error.evalue}"
        raise BuildError(told if error.ename in PLAIN else f"{told}\n{error}") from error
    except DeadKernelError as error:
        raise BuildError(f"{spec.name}: its kernel died; was there enough memory?") from error


def _run(notebook: NotebookNode, given: dict[str, Parameter], name: str, folder: Path) -> NotebookNode:
    width = progress.columns()
    # Sockets in our own directory: nothing listens on the network, and their paths stay short enough.
    sockets = {"transport": "ipc", "connection_file": str(folder / "kernel.json")}
    done: NotebookNode = papermill.execute_notebook(
        notebook,
        None,
        given,
        kernel_name=KERNELSPEC["name"],
        cwd=folder / "work",
        progress_bar={"desc": name, "leave": False, "ncols": width} if width else False,
        config=Config(KernelManager=sockets),
        record_timing=False,
        coalesce_streams=True,
    )
    return done


def used(notebook: bytes) -> list[str]:
    """The names of the stored items that an executed chapter asked for."""
    return list(nbformat.reads(notebook.decode(), as_version=4).metadata["used"])


def tidy(notebook: NotebookNode, *, hidden: bool, used: Sequence[str]) -> bytes:
    """Drop times, paths and random names.

    Args:
        notebook: as papermill leaves it.
        hidden: whether to hide the cell that papermill injects: true where it only names the profile, false
            where the reader would otherwise see defaults above results that other values gave.
        used: names of the stored items that it asked for, kept in its metadata.
    """
    notebook.metadata = NotebookNode(kernelspec=dict(KERNELSPEC), used=list(used))
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:03d}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        tags = [tag for tag in cell.metadata.pop("tags", []) if tag != "papermill-error-cell-tag"]
        if hidden and "injected-parameters" in tags:
            tags.append("remove-cell")
        if tags:
            cell.metadata["tags"] = tags
    text: str = nbformat.writes(nbformat.from_dict(notebook), version=4)
    return (text + "\n").encode()


@contextmanager
def kernel_environment() -> Iterator[Path]:
    """Set the environment in which kernels give the same bytes every time; relay their bars and messages.

    Yields:
        A temporary directory; `work` in it is empty, for a chapter must not depend on where it is started.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="neighborhoods-")))
        (folder / "ipython" / "profile_default").mkdir(parents=True)
        (folder / "work").mkdir()
        (folder / "ipython" / "profile_default" / "ipython_kernel_config.py").write_text(KERNEL_CONFIG)
        (folder / "matplotlibrc").write_text(MATPLOTLIBRC)
        pipe = stack.enter_context(_relay(folder / "terminal"))
        stack.enter_context(_environment(_variables(folder, pipe)))
        yield folder


def _variables(folder: Path, pipe: Path) -> dict[str, str]:
    return {
        "IPYTHONDIR": str(folder / "ipython"),  # the reader's own start-up files stay out
        "JUPYTER_PREFER_ENV_PATH": "1",  # kernel `python3` is this interpreter, whatever else is installed
        "JUPYTER_PATH": "",
        "MATPLOTLIBRC": str(folder / "matplotlibrc"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",  # sums in one order, and one core a process
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": "0",
        USED: str(folder / "used"),
        progress.TERMINAL: str(pipe),
        progress.COLUMNS: str(progress.columns() or ""),
    }


def _used(folder: Path) -> list[str]:
    file = folder / "used"
    return sorted(set(file.read_text(encoding="utf-8").split())) if file.exists() else []


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


@contextmanager
def _relay(pipe: Path) -> Iterator[Path]:
    """A named pipe to our standard error for kernels, whose own belongs to the cell."""
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY)  # held open, or the pipe would end with the first bar
    os.set_blocking(reader, True)
    thread = threading.Thread(target=_copy, args=(reader,), daemon=True)
    thread.start()
    try:
        yield pipe
    finally:
        os.close(writer)
        thread.join(timeout=5)


def _copy(reader: int) -> None:
    with os.fdopen(reader, "rb", buffering=0) as stream:
        while text := stream.read(4096):
            os.write(2, text)


def _imports(source: str) -> frozenset[str]:
    try:
        return imported_modules(TransformerManager().transform_cell(source))
    except SyntaxError:  # executing the cell says so better
        return frozenset()
