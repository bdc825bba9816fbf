"""Writes tensorboardx.tfevents with tensorboardX 2.6.5 (pip install tensorboardX==2.6.5), at a time that stands still:

    python tensorboardx.py
"""

import glob
import os
import shutil
import tempfile
import time

time.time = lambda: 1_700_000_000.25

from tensorboardX import SummaryWriter
from tensorboardX.proto.event_pb2 import Event, SessionLog

with tempfile.TemporaryDirectory() as folder:
    writer = SummaryWriter(folder, flush_secs=1000)
    for _ in range(2):
        writer.file_writer.add_event(Event(session_log=SessionLog(status=SessionLog.START)), step=7)
    writer.add_text("settings", "| epochs |\n|---|\n| 500, ä |")
    writer.add_scalar("step/loss", 2.302585, 0)
    writer.add_scalar("step/loss", 0.0, 7)
    writer.add_scalar("step/lr", -1.5e-9, 300)
    writer.add_scalar("accuracy", float("nan"), 1 << 40)
    writer.add_scalar("accuracy", float("inf"), 1 << 62)
    writer.close()
    (file,) = glob.glob(os.path.join(folder, "*"))
    shutil.copyfile(file, "tensorboardx.tfevents")
