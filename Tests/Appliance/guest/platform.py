#!/usr/bin/env python3
"""Reports the stream that the platform received: nginx writes every publish to a file of its own.

    platform.py watch            records the arrival of each frame, until it is stopped
    platform.py first WHAT FROM  when the first such frame arrived after FROM; status 1 if none has
    platform.py pause FROM       the longest time without a frame since FROM
    platform.py backwards FROM   how many frames since FROM have an earlier timestamp than the one before, in a publish
    platform.py begins N         when the first frame of the Nth publish arrived; status 1 if none has
    platform.py publishes        how many publishes there were
    platform.py shows            what the frames showed, with one line for each period

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
    """Returns the files in the order of their publishes."""
    return sorted(glob.glob(FOLDER + "/*.flv"), key=lambda path: int(path.rsplit("-", 1)[1][:-4]))


class Frame:
    """A frame that has arrived: its arrival, its timestamp, and its position in its file."""

    def __init__(self, line):
        when, stamp, place, is_keyframe, settings, self.path = line.split()
        self.when = float(when)
        self.stamp, self.place, self.settings = int(stamp), int(place), int(settings)
        self.is_keyframe = is_keyframe == "1"


class Growing:
    """A file that nginx is writing."""

    def __init__(self, path):
        self.path = path
        self.file = open(path, "rb")
        self.place = BEGINNING
        self.settings = 0  # the position of the newest settings for decoders

    def lines(self):
        """Returns a line for each frame that is complete since the last call."""
        size = os.fstat(self.file.fileno()).st_size
        while self.place + 13 <= size:
            place = self.place
            self.file.seek(place)
            head = self.file.read(13)
            end = place + tag_bytes(head)
            if end > size:
                return
            self.place = end
            if head[0] != 9:  # video
                continue
            if head[12] == 0:
                self.settings = place
            elif head[12] == 1:
                stamp = head[7] << 24 | int.from_bytes(head[4:7], "big")
                yield f"{uptime():.3f} {stamp} {place} {int(head[11] >> 4 == 1)} {self.settings} {self.path}\n"


# FLV: the number of bytes before the first tag; and the bytes of a tag with the size field after it.
BEGINNING = 13


def tag_bytes(head):
    return 11 + int.from_bytes(head[1:4], "big") + 4


def watch():
    growing = {}
    with open(ARRIVALS, "w", buffering=1) as arrivals:
        while True:
            for path in files():
                if path not in growing:
                    growing[path] = Growing(path)
                arrivals.writelines(growing[path].lines())
            time.sleep(0.02)


def arrivals(since=0.0):
    """Returns every frame since a time, in the order of arrival."""
    with open(ARRIVALS) as lines:
        frames = [Frame(line) for line in lines if line.endswith("\n")]
    return [frame for frame in frames if frame.when >= since]


def colours(path, keyframe):
    """Returns what every frame of a file shows, from a keyframe on."""
    with open(path, "rb") as file:
        data = file.read(BEGINNING)
        file.seek(keyframe.settings)
        head = file.read(13)
        data += head + file.read(tag_bytes(head) - len(head))
        file.seek(keyframe.place)
        data += file.read()
    command = ["ffmpeg", "-v", "quiet", "-f", "flv", "-i", "-", "-an", "-vf", "scale=1:1:flags=area,format=yuv444p",
               "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    data = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=False).stdout
    for y, u, v in zip(data[0::3], data[1::3], data[2::3]):
        yield "camera" if u < 95 and v < 95 else "slate" if y < 70 else "other"


def shown(since=0.0):
    """Returns (when, what) of every frame since a time that can be decoded."""
    everything = arrivals()
    for path in files():
        frames = [frame for frame in everything if frame.path == path]
        if not frames or frames[-1].when < since:
            continue
        # Decoding starts with the last keyframe before that time.
        start = max((n for n, frame in enumerate(frames) if frame.is_keyframe and frame.when < since), default=0)
        for frame, kind in zip(frames[start:], colours(path, frames[start])):
            if frame.when >= since:
                yield frame.when, kind


def first(what, since):
    if what == "any":
        return next((frame.when for frame in arrivals(since)), None)
    return next((when for when, kind in shown(since) if kind == what), None)


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
        times = [since] + [frame.when for frame in arrivals(since)] + [uptime()]
        print(f"{max(later - earlier for earlier, later in zip(times, times[1:])):.3f}")
    elif command == "backwards":
        frames = arrivals(since)
        print(sum(b.path == a.path and b.stamp < a.stamp for a, b in zip(frames, frames[1:])))
    elif command == "begins":
        paths = files()[int(words[1]) - 1:]
        found = next((frame.when for frame in arrivals() if paths and frame.path == paths[0]), None)
        if found is None:
            return 1
        print(f"{found:.3f}")
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
