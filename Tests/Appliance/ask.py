#!/usr/bin/env python3
"""Runs a script in a guest, through QEMU's guest agent.

    ask.py SOCKET SECONDS SCRIPT [leave]     runs SCRIPT with bash in the guest; exits with its status, 124 when time is
                                             up, 125 when the guest does not answer

With `leave` it does not wait for the end of the script, because a guest that shuts down does not report it.
"""
import json
import os
import socket
import sys
import time


class Guest:
    def __init__(self, path, end):
        self.socket = socket.socket(socket.AF_UNIX)
        self.path = path
        self.end = end

    def connect(self):
        """Waits until the guest has started the agent, and discards replies to earlier requests."""
        # A long time limit, because requests fill the socket while the agent does not read.
        self.socket.settimeout(10)
        while True:
            try:
                self.socket.connect(self.path)
                break
            except FileNotFoundError:
                # QEMU has not created the socket yet.
                if time.monotonic() >= self.end:
                    raise
                time.sleep(0.1)
        number = os.getpid() * 1000
        while time.monotonic() < self.end:
            number += 1
            try:
                # The byte makes the agent drop the part of a request that was cut off.
                self.send(b"\xff", "guest-sync-delimited", id=number)
                while self.receive().get("return") != number:
                    pass
                return
            except TimeoutError:
                continue
        raise TimeoutError

    def send(self, before, command, **arguments):
        self.socket.sendall(before + json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")

    def receive(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.socket.recv(1)
            if not byte:
                raise SystemExit(125)
            line += byte
        try:
            return json.loads(line.lstrip(b"\xff"))
        except ValueError:
            return {}

    def ask(self, command, **arguments):
        self.send(b"", command, **arguments)
        reply = self.receive()
        if "return" not in reply:
            raise SystemExit(f"the guest's agent: {reply}")
        return reply["return"]


def main(path, seconds, script, leave=None):
    guest = Guest(path, time.monotonic() + float(seconds))
    try:
        guest.connect()
        guest.socket.settimeout(float(seconds))
        pid = guest.ask("guest-exec", path="/bin/bash", arg=["-c", script])["pid"]
        if leave:
            return 0
        while time.monotonic() < guest.end:
            state = guest.ask("guest-exec-status", pid=pid)
            if state["exited"]:
                return state.get("exitcode", 128 + state.get("signal", 0))
            time.sleep(0.2)
        return 124
    except (TimeoutError, ConnectionError, FileNotFoundError):
        return 125


sys.exit(main(*sys.argv[1:]))
