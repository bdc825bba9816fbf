"""execute.py NOTEBOOK RESULT PAGE SECONDS: executes a notebook and writes it with its outputs, and a page of it if PAGE
is not empty, also where a cell fails. A line of JSON on stdout after every cell, and one on what went wrong."""

import asyncio
import json
import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

notebook, result, page, seconds = sys.argv[1:5]


def tell(**what):
    print(json.dumps(what), flush=True)


nb = nbformat.read(notebook, as_version=4)
for cell in nb.cells:
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None

client = NotebookClient(
    nb,
    timeout=int(seconds),
    startup_timeout=120,
    record_timing=False,
    kernel_name="gonb",
    shutdown_kernel="immediate",
    resources={"metadata": {"path": os.path.dirname(os.path.abspath(notebook))}},
    on_cell_executed=lambda cell, cell_index, execute_reply: tell(done=cell_index + 1),
)
try:
    client.execute()
except CellExecutionError:
    pass  # the outputs tell
except CellTimeoutError:
    tell(error=f"a cell took longer than {seconds} s")
except DeadKernelError:
    tell(error="the kernel died")
except asyncio.CancelledError:
    tell(error="interrupted")

# What depends on the machine and not on the notebook.
nb.metadata = {
    "kernelspec": {"display_name": "Go (gonb)", "language": "go", "name": "gonb"},
    "language_info": {"file_extension": ".go", "mimetype": "text/x-go", "name": "go"},
}
nbformat.write(nb, result)
if page:
    from nbconvert import HTMLExporter

    nb.metadata["language_info"]["pygments_lexer"] = "go"
    with open(page, "w", encoding="utf-8") as f:
        f.write(HTMLExporter().from_notebook_node(nb)[0])
