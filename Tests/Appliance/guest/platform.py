#!/usr/bin/env python3
"""What the platform was sent: nginx writes every publish to a file of its own, this tells when what arrived.

    platform.py watch            write down, for ever, when each picture arrives
    platform.py first WHAT FROM  when the first such picture arrived after FROM; status 1 if none has
    platform.py pause FROM       the longest time without a picture since FROM
    platform.py backwards FROM   how many pictures since FROM have a time before that of the one before, within a publish
    platform.py begins N         when the first picture of the Nth publish arrived; status 1 if none has
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


class Picture:
    """One that has arrived: when, its time in the stream, and where it lies in its file."""

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
        self.settings = 0  # where the newest settings for decoders lie

    def lines(self):
        """What is to be written down of the pictures that have become whole since the last question."""
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


# Of FLV: the bytes before the first tag, and of a tag with the size of it that follows it.
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
    """Every picture since then, in the order in which they came."""
    with open(ARRIVALS) as lines:
        pictures = [Picture(line) for line in lines if line.endswith("\n")]
    return [picture for picture in pictures if picture.when >= since]


def colours(path, picture):
    """Of every picture in a file from a keyframe on."""
    with open(path, "rb") as file:
        data = file.read(BEGINNING)
        file.seek(picture.settings)
        head = file.read(13)
        data += head + file.read(tag_bytes(head) - len(head))
        file.seek(picture.place)
        data += file.read()
    command = ["ffmpeg", "-v", "quiet", "-f", "flv", "-i", "-", "-an", "-vf", "scale=1:1:flags=area,format=yuv444p",
               "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    data = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=False).stdout
    for y, u, v in zip(data[0::3], data[1::3], data[2::3]):
        yield "camera" if u < 95 and v < 95 else "slate" if y < 70 else "other"


def shown(since=0.0):
    """(when, what) of every picture since then that can be decoded."""
    everything = arrivals()
    for path in files():
        pictures = [picture for picture in everything if picture.path == path]
        if not pictures or pictures[-1].when < since:
            continue
        # From the last keyframe before.
        start = max((n for n, picture in enumerate(pictures) if picture.is_keyframe and picture.when < since), default=0)
        for picture, kind in zip(pictures[start:], colours(path, pictures[start])):
            if picture.when >= since:
                yield picture.when, kind


def first(what, since):
    if what == "any":
        return next((picture.when for picture in arrivals(since)), None)
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
        times = [since] + [picture.when for picture in arrivals(since)] + [uptime()]
        print(f"{max(later - earlier for earlier, later in zip(times, times[1:])):.3f}")
    elif command == "backwards":
        pictures = arrivals(since)
        print(sum(b.path == a.path and b.stamp < a.stamp for a, b in zip(pictures, pictures[1:])))
    elif command == "begins":
        paths = files()[int(words[1]) - 1:]
        found = next((picture.when for picture in arrivals() if paths and picture.path == paths[0]), None)
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
