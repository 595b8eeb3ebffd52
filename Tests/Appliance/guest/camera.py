#!/usr/bin/env python3
"""A USB camera (UVC 1.0, YUYV) with green frames, plugged in for as long as this program runs.

The kernel's vhci_hcd makes a real USB port of a socket. This end of it is the device, which speaks the USB/IP protocol
(Documentation/usb/usbip_protocol.rst). SIGTERM unplugs the camera, SIGUSR1 freezes it, and SIGUSR2, or a reset of its
port, lets it continue.

    camera.py [--port 0…7] [--serial CAM1] [--model "Green Camera"] [--size 320x180] [--rate 10]
"""
import argparse
import select
import signal
import socket
import struct
import time

VHCI = "/sys/devices/platform/vhci_hcd.0/attach"
HIGH_SPEED = 3
# The size of uvcvideo's bulk transfers: 32 packets of 512 bytes. Each is one UVC payload, with a header of two bytes.
PAYLOAD = 32 * 512
STALL, UNLINKED = -32, -104


def descriptor(kind, layout, *fields):
    body = struct.pack("<" + layout, *fields)
    return bytes([len(body) + 2, kind]) + body


def control_class(subtype, layout, *fields):
    return descriptor(0x24, "B" + layout, subtype, *fields)


class Camera:
    """The device: its descriptors, its answers and its frames."""

    def __init__(self, options):
        self.width, self.height = (int(side) for side in options.size.split("x"))
        self.rate = options.rate
        self.frame_bytes = self.width * self.height * 2
        self.interval = 10_000_000 // self.rate
        self.strings = ["Appliance", options.model, options.serial]
        self.device = descriptor(1, "HBBBBHHHBBBB", 0x0200, 0xEF, 2, 1, 64, 0x1D6B, 0x0102, 0x0100, 1, 2, 3, 1)
        self.configuration = self.make_configuration()
        # Hint, format, frame, interval, key frames, P frames, quality, window, delay, bytes a frame, bytes a payload.
        self.settings = struct.pack("<HBBIHHHHHII", 1, 1, 1, self.interval, 0, 0, 0, 0, 0, self.frame_bytes, PAYLOAD)
        self.frames = [self.make_frame(number) for number in range(16)]

    def make_configuration(self):
        terminals = (
            control_class(2, "BHBBHHHBH", 1, 0x0201, 0, 0, 0, 0, 0, 2, 0)  # a lens
            + control_class(3, "BHBBB", 2, 0x0101, 0, 1, 0)  # to the host
        )
        control = control_class(1, "HHIBB", 0x0100, 13 + len(terminals), 48_000_000, 1, 1) + terminals
        bits = self.frame_bytes * 8 * self.rate
        yuyv = bytes.fromhex("5955593200001000800000aa00389b71")
        formats = (
            control_class(4, "BB16sBBBBBB", 1, 1, yuyv, 16, 1, 0, 0, 0, 0)
            + control_class(
                5, "BBHHIIIIBI", 1, 0, self.width, self.height, bits, bits, self.frame_bytes, self.interval, 1,
                self.interval,
            )
            + control_class(13, "BBB", 1, 1, 4)  # BT.601
        )
        streaming = control_class(1, "BHBBBBBBBB", 1, 14 + len(formats), 0x81, 0, 2, 0, 0, 0, 1, 0) + formats
        body = (
            descriptor(11, "BBBBBB", 0, 2, 14, 3, 0, 2)  # the two interfaces are one function
            + descriptor(4, "BBBBBBB", 0, 0, 0, 14, 1, 0, 2) + control
            + descriptor(4, "BBBBBBB", 1, 0, 1, 14, 2, 0, 2) + streaming
            + descriptor(5, "BBHB", 0x81, 2, 512, 0)
        )
        return descriptor(2, "HBBBBB", 9 + len(body), 2, 1, 0, 0x80, 250) + body

    def make_frame(self, number):
        """Returns a green frame, with a brightness that changes, cut into payloads."""
        luma = 90 + number * 4
        data = bytes([luma, 60, luma, 60]) * (self.frame_bytes // 4)
        room = PAYLOAD - 2
        starts = range(0, len(data), room)
        # The last bit alternates from frame to frame; the bit before it marks the end of a frame.
        ends = {start: 2 if start == starts[-1] else 0 for start in starts}
        return [bytes([2, 0x80 | ends[start] | number & 1]) + data[start:start + room] for start in starts]

    def answer(self, setup):
        """Returns the bytes of a control transfer (none for one to the device), or `None` if it is not supported."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == 0x20:  # of the video class
            if index & 0xFF != 1 or value >> 8 not in (1, 2):
                return None
            if not kind & 0x80:
                return b""
            sizes = {0x85: struct.pack("<H", len(self.settings)), 0x86: b"\x03"}
            return sizes.get(request, self.settings)[:length]
        if request == 6:  # a descriptor
            which, number = value >> 8, value & 0xFF
            if which == 3:
                return self.string(number)[:length] if number <= len(self.strings) else None
            known = {1: self.device, 2: self.configuration}.get(which)
            return known and known[:length]
        if request == 0:  # status
            return b"\0\0"[:length]
        return b"" if not kind & 0x80 else bytes(length)

    def string(self, number):
        return descriptor(3, "H", 0x0409) if number == 0 else self.text(self.strings[number - 1])

    @staticmethod
    def text(words):
        coded = words.encode("utf-16-le")
        return bytes([len(coded) + 2, 3]) + coded


class Plug:
    """The device's end of the cable."""

    def __init__(self, camera, port):
        self.camera = camera
        self.frozen = False
        self.waiting = []  # transfers that wait for a frame
        self.payloads = []
        self.shown = 0
        self.due = 0.0
        self.socket, theirs = socket.socketpair()
        with open(VHCI, "w") as attach:
            attach.write(f"{port} {theirs.fileno()} {0x10001 + port} {HIGH_SPEED}")
        theirs.close()

    def run(self):
        while True:
            pause = max(0.0, self.due - time.monotonic()) if self.waiting and not self.frozen else 1.0
            if select.select([self.socket], [], [], pause)[0]:
                self.take()
            self.give()

    def take(self):
        head = self.read(48)
        command, number, _, is_in, endpoint, field, length = struct.unpack(">7I", head[:28])
        if command == 2:  # unlink, `field` being the number of the transfer
            known = field in self.waiting
            if known:
                self.waiting.remove(field)
            self.reply(4, number, UNLINKED if known else 0)
            return
        if not is_in and length:
            self.read(length)
        if endpoint:
            self.waiting.append(number)
            return
        # A stream that stops clears its endpoint: the rest of a frame must not begin the next stream.
        if head[40:42] == b"\x02\x01":
            self.payloads = []
        # A reset of the port ends with this. A frozen camera needs it; to open the camera again does not help.
        if head[40:42] == b"\x00\x09":
            self.payloads = []
            self.frozen = False
        answer = self.camera.answer(head[40:48])
        if answer is None:
            self.reply(3, number, STALL)
        else:
            self.reply(3, number, 0, answer, len(answer) if is_in else length)

    def give(self):
        """Sends the next frame when it is due, at the camera's own rate."""
        now = time.monotonic()
        if self.waiting and not self.payloads and not self.frozen and now >= self.due:
            self.due = max(self.due, now - 0.5) + 1 / self.camera.rate
            self.payloads = list(self.camera.frames[self.shown % len(self.camera.frames)])
            self.shown += 1
        while self.payloads and self.waiting:
            payload = self.payloads.pop(0)
            self.reply(3, self.waiting.pop(0), 0, payload, len(payload))

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise SystemExit("the port was closed")
            data += more
        return data

    def reply(self, command, number, status, data=b"", length=0):
        self.socket.sendall(struct.pack(">5Ii4I8x", command, number, 0, 0, 0, status, length, 0, 0, 0) + data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--serial", default="CAM1")
    parser.add_argument("--model", default="Green Camera")
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--rate", type=int, default=10)
    options = parser.parse_args()
    plug = Plug(Camera(options), options.port)
    signal.signal(signal.SIGUSR1, lambda *_: setattr(plug, "frozen", True))
    signal.signal(signal.SIGUSR2, lambda *_: setattr(plug, "frozen", False))
    plug.run()


main()
