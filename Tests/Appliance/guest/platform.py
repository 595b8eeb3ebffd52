#!/usr/bin/env python3
"""What the platform was sent: nginx writes every publish to a file of its own, this tells when what arrived.

    platform.py watch            write down, for ever, when each picture arrives
    platform.py first WHAT FROM  when the first such picture arrived after FROM; status 1 if none has
    platform.py pause FROM       the longest time without a picture since FROM
    platform.py backwards FROM   how many pictures since FROM have a time before that of the one before, within a publish
    platform.py publishes        how many publishes there were
    platform.py shows            what was shown, in a line for each stretch of it

Times are seconds of the guest's clock since it booted. WHAT is slate (dark), camera (green), other, or any.
"""
import glob
import os
import subprocess
import sys
import time

FOLDER = "/run/platform"
ARRIVALS = FOLDER + "/arrivals"


def uptime():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def files():
    """In the order of their publishes."""
    return sorted(glob.glob(FOLDER + "/*.flv"), key=lambda path: int(path.rsplit("-", 1)[1][:-4]))


class Growing:
    """A file that nginx is writing."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "rb")
        self.place = 13  # behind FLV's header

    def pictures(self):
        """The times of those that have become whole since the last question, in milliseconds of the stream."""
        size = os.fstat(self.file.fileno()).st_size
        while self.place + 13 <= size:
            self.file.seek(self.place)
            head = self.file.read(13)
            end = self.place + 11 + int.from_bytes(head[1:4], "big") + 4
            if end > size:
                return
            self.place = end
            # Video, and not the decoder's settings nor the end of the sequence.
            if head[0] == 9 and head[12] == 1:
                yield head[7] << 24 | int.from_bytes(head[4:7], "big")


def watch():
    growing = {}
    with open(ARRIVALS, "w", buffering=1) as arrivals:
        while True:
            for path in files():
                file = growing.setdefault(path, None) or Growing(path)
                growing[path] = file
                for stamp in file.pictures():
                    arrivals.write(f"{uptime():.3f} {stamp} {path}\n")
            time.sleep(0.02)


def arrivals():
    """(when, time in the stream, file) of every picture."""
    with open(ARRIVALS) as lines:
        rows = [line.split() for line in lines if line.endswith("\n")]
    return [(float(when), int(stamp), path) for when, stamp, path in rows]


def colours(path):
    """Of every picture in a file."""
    command = ["ffmpeg", "-v", "quiet", "-nostdin", "-i", path, "-an", "-vf", "scale=1:1:flags=area,format=yuv444p",
               "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    data = subprocess.run(command, stdout=subprocess.PIPE, check=False).stdout
    for y, u, v in zip(data[0::3], data[1::3], data[2::3]):
        yield "camera" if u < 95 and v < 95 else "slate" if y < 70 else "other"


def shown():
    """(when, what) of every picture that can be decoded."""
    seen = arrivals()
    for path in files():
        yield from zip((when for when, _, file in seen if file == path), colours(path))


def first(what, since):
    if what == "any":
        return next((when for when, _, _ in arrivals() if when >= since), None)
    return next((when for when, kind in shown() if when >= since and kind == what), None)


def main(words):
    command = words[0]
    since = float(words[-1]) if len(words) > 1 else 0.0
    if command == "watch":
        watch()
    elif command == "first":
        found = first(words[1], since)
        if found is None:
            return 1
        print(f"{found:.3f}")
    elif command == "pause":
        times = [since] + [when for when, _, _ in arrivals() if when >= since] + [uptime()]
        print(f"{max(later - earlier for earlier, later in zip(times, times[1:])):.3f}")
    elif command == "backwards":
        rows = [row for row in arrivals() if row[0] >= since]
        print(sum(b[2] == a[2] and b[1] < a[1] for a, b in zip(rows, rows[1:])))
    elif command == "publishes":
        print(len(files()))
    elif command == "shows":
        start = before = None
        for when, kind in shown():
            if before and kind == before[1]:
                before = (when, kind)
                continue
            if before:
                print(f"{start:8.2f}–{before[0]:.2f} {before[1]}")
            start, before = when, (when, kind)
        if before:
            print(f"{start:8.2f}–{before[0]:.2f} {before[1]}")
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


sys.exit(main(sys.argv[1:] or ["help"]))
