import Foundation
import TestSupport
import Testing

/// Sources whose frames differ from the group's: interlaced, portrait, or with pixels that are not square.
@Suite(.serialized, .tags(.ffmpeg)) struct FrameShapeTests {
    private static let interlaced = [
        "-f", "lavfi", "-i", "nullsrc=s=320x288:r=50,geq=lum='if(lt(mod(X+8*N,64),32),235,16)':cb=128:cr=128", "-vf",
        "tinterlace=interleave_top,setfield=tff", "-flags", "+ildct+ilme", "-bf", "0", "-g", "12", "-pix_fmt",
        "yuv420p",
    ]
    private static let quiet = ["-v", "error", "-nostdin", "-y"]

    /// Counts the frames that are marked as interlaced.
    private func marked(_ path: String) async throws -> Int {
        try await TestProcess.run(
            Judge.ffprobe,
            ["-v", "error", "-select_streams", "v", "-show_entries", "frame=interlaced_frame", "-of", "csv=p=0", path]
        )
        .success("ffprobe").text.split(separator: "\n").count { $0.hasPrefix("1") }
    }

    /// Counts the frames in which `idet` finds two fields of different times.
    ///
    /// - Parameter first: The number of the first frame to look at.
    private func combed(_ path: String, from first: Int = 0) async throws -> Int {
        let filters = "select='gte(n,\(first))',idet,metadata=mode=print:file=-:key=lavfi.idet.single.current_frame"
        return try await TestProcess.run(
            Judge.ffmpeg, ["-v", "error", "-nostdin", "-i", path, "-vf", filters, "-f", "null", "-"]
        )
        .success("idet").text.split(separator: "\n").count { $0.hasSuffix("=tff") || $0.hasSuffix("=bff") }
    }

    /// Measures the brightness of a part of each frame.
    private func brightness(_ path: String, of part: String) async throws -> [UInt8] {
        let filters = "crop=\(part),scale=1:1:flags=area,format=gray"
        return try await TestProcess.run(
            Judge.ffmpeg,
            ["-v", "error", "-nostdin", "-i", path, "-fps_mode", "passthrough", "-vf", filters, "-f", "rawvideo", "-"]
        ).success("the brightness").output
    }

    private func expectLiveGroups(_ what: String, of daemon: Daemon, on stage: Stage) async throws {
        try await stage.expect(what, of: daemon) { status in status.groups.allSatisfy { $0.state == "live" } }
    }

    @Test("interlaced H.264 by SRT is encoded progressive, and copied with its marks")
    func interlacedH264() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.udp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { srt: { listen: "127.0.0.1:\(port)" } } ]
                    slate: { after: 10m }
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("copied"))" } ] }
                      - name: hd
                        video: { size: 320x288, bitrate: 2M }
                        targets: [ { name: b, url: "\(sink.url("encoded"))" } ]
                      - name: fields
                        video: { size: 320x288, bitrate: 2M, deinterlace: field }
                        targets: [ { name: c, url: "\(sink.url("fields"))" } ]
                """)
            try await expectLiveGroups("the slate on air", of: daemon, on: stage)
            let camera = try await stage.program(
                "ffmpeg",
                Self.quiet + ["-re"] + Self.interlaced + [
                    "-c:v", "libx264", "-preset", "ultrafast", "-x264-params", "tff=1", "-f", "mpegts",
                ]
                    + ["srt://127.0.0.1:\(port)?mode=caller&transtype=live&pkt_size=1316&connect_timeout=30000"])
            try await stage.expect("encoders for the camera", of: daemon) { status in
                status.groups.allSatisfy { $0.state == "live" }
                    && ["hd", "fields"].allSatisfy { name in
                        status.groups.contains { $0.name == name && $0.handovers["refresh"] == 1 }
                    }
            }
            for name in ["copied", "encoded", "fields"] {
                try await sink.waitForMoreFrames(100, of: name)
            }
            await stage.end(camera)
            try await daemon.terminate()
            #expect(try await marked(sink.recording(of: "copied")) >= 75)
            for (name, step) in [("encoded", 40), ("fields", 20)] as [(String, Int64)] {
                let recording = try sink.recording(of: name)
                #expect(try await marked(recording) == 0, "\(name)")
                let probe = try await MediaProbe.read(.url(recording))
                let times = probe.packets(of: probe.video).compactMap(\.pts)
                // The first frames are those of the slate, and of the encoder that does not deinterlace yet.
                let first = times.count - 60
                #expect(try await combed(recording, from: first) == 0, "\(name)")
                // FLV has milliseconds.
                let last = times[first...]
                #expect(zip(last, last.dropFirst()).allSatisfy { $1 - $0 == step }, "\(name): \(times)")
            }
        }
    }

    @Test("interlaced MPEG-2 is progressive in every group, also where it is copied")
    func interlacedMPEG2() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = stage.folder.path("old.ts")
            _ = try await TestProcess.run(
                "ffmpeg",
                Self.quiet + Self.interlaced + ["-t", "4", "-c:v", "mpeg2video", "-b:v", "4M", "-f", "mpegts", file]
            ).success("an interlaced file")
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { file: { path: \(file), loop: true } } ]
                    slate: { after: 10m }
                    mezzanine: { bitrate: 4M }
                    groups:
                      - { name: raw, video: copy, audio: copy, targets: [ { name: a, url: "\(sink.url("copied"))" } ] }
                      - name: hd
                        video: { size: 320x288, bitrate: 2M }
                        targets: [ { name: b, url: "\(sink.url("encoded"))" } ]
                """)
            for name in ["copied", "encoded"] { try await sink.waitForFrames(75, of: name) }
            try await daemon.terminate()
            for name in ["copied", "encoded"] {
                #expect(try await marked(sink.recording(of: name)) == 0, "\(name)")
                #expect(try await combed(sink.recording(of: name)) == 0, "\(name)")
            }
        }
    }

    @Test("interlaced HEVC with unmarked frames is encoded progressive")
    func interlacedHEVC() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let file = stage.folder.path("new.ts")
            _ = try await TestProcess.run(
                "ffmpeg",
                Self.quiet + Self.interlaced + ["-t", "4", "-c:v", "libx265", "-preset", "ultrafast"]
                    + ["-x265-params", "log-level=error:keyint=12:bframes=0", "-f", "mpegts", file]
            ).success("a file")
            // Marks the profile as interlaced and not progressive: x265 does so only when it encodes fields.
            let before: [UInt8] = [0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x90]
            let after: [UInt8] = [0x01, 0x60, 0x00, 0x00, 0x03, 0x00, 0x40]
            let stream = try Data(contentsOf: URL(fileURLWithPath: file))
            let changed = stream.replacing(before, with: after)
            #expect(changed != stream)
            try changed.write(to: URL(fileURLWithPath: file))
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { file: { path: \(file), loop: true } } ]
                    slate: { after: 10m }
                    groups:
                      - name: hd
                        video: { encoder: libx264, size: 320x288, bitrate: 2M }
                        targets: [ { name: a, url: "\(sink.url("encoded"))" } ]
                """)
            try await sink.waitForFrames(75, of: "encoded")
            #expect(daemon.children("pipe:0").contains { $0.command.contains("bwdif=mode=send_frame:deint=all") })
            try await daemon.terminate()
            #expect(try await combed(sink.recording(of: "encoded")) == 0)
        }
    }

    @Test("bottom-field-first frames are deinterlaced, progressive ones are not", arguments: ["bwdif", "yadif"])
    func marks(filter: String) async throws {
        let folder = try TemporaryFolder()
        let (fields, frames) = (folder.path("fields.ts"), folder.path("frames.ts"))
        let bottomFirst = Self.interlaced.map {
            $0.replacing("interleave_top", with: "interleave_bottom").replacing("tff", with: "bff")
        }
        let encoder = ["-t", "2", "-c:v", "libx264", "-preset", "ultrafast", "-x264-params"]
        _ = try await TestProcess.run("ffmpeg", Self.quiet + bottomFirst + encoder + ["bff=1", fields]).success(
            "fields")
        _ = try await TestProcess.run(
            "ffmpeg",
            Self.quiet + Self.interlaced.prefix(4) + encoder + ["fake-interlaced=1", "-pix_fmt", "yuv420p", frames]
        ).success("frames")
        func images(_ path: String, _ filters: String) async throws -> [Substring] {
            let options = ["-vf", filters, "-fps_mode", "passthrough", "-f", "framemd5", "-"]
            let all = ["-v", "error", "-nostdin", "-i", path] + options
            let list = try await TestProcess.run("ffmpeg", all).success("images")
            let lines = list.text.split(separator: "\n").filter { !$0.hasPrefix("#") }
            return lines.compactMap { $0.split(separator: " ").last }
        }
        let chain = "\(filter)=mode=send_frame:deint=interlaced"
        #expect(try await marked(fields) > 40)
        #expect(try await marked(frames) == 0)
        let (filtered, untouched) = (try await images(frames, chain), try await images(frames, "null"))
        #expect(filtered == untouched && filtered.count > 40)
        let plain = folder.path("plain.ts")
        _ = try await TestProcess.run("ffmpeg", Self.quiet + ["-i", fields, "-vf", chain, plain]).success(
            "deinterlaced")
        #expect(try await combed(fields) > 40)
        #expect(try await combed(plain) == 0)
    }

    @Test("a portrait source after a landscape one is shown whole, and no frame is lost")
    func portrait() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources:
                      - rtmp: { listen: "127.0.0.1:\(port)", app: live }
                      - test: { size: 320x180, rate: 30 }
                    # A phone that is late on a busy machine stays on air, with its encoders.
                    slate: { after: 20s }
                    groups:
                      - name: hd
                        video: { size: 320x180, bitrate: 1M }
                        targets: [ { name: a, url: "\(sink.url("padded"))" } ]
                      - name: cut
                        video: { size: 320x180, bitrate: 1M, fit: crop }
                        targets: [ { name: b, url: "\(sink.url("cropped"))" } ]
                """)
            try await expectLiveGroups("both groups live", of: daemon, on: stage)
            let phone = try await stage.program(
                "ffmpeg",
                Self.quiet + [
                    "-re", "-f", "lavfi", "-i", "color=white:s=180x320:r=30", "-c:v", "libx264", "-preset", "ultrafast",
                    "-tune", "zerolatency",
                ]
                    + ["-g", "15", "-pix_fmt", "yuv420p", "-f", "flv", "rtmp://127.0.0.1:\(port)/live/x"])
            try await stage.expect("encoders made for it", of: daemon) { status in
                status.groups.allSatisfy { $0.handovers["refresh"] == 1 && $0.state == "live" }
            }
            for name in ["padded", "cropped"] {
                try await sink.waitForMoreFrames(60, of: name)
            }
            try await stage.expect("no frame lost", of: daemon) { status in
                status.groups.allSatisfy { $0.lostFrames == 0 && $0.exits.isEmpty }
            }
            try await daemon.terminate()
            await stage.end(phone)
            // Looks at the left tenth of the picture, and at its middle.
            let padded = try sink.recording(of: "padded")
            let cropped = try sink.recording(of: "cropped")
            #expect(try await brightness(padded, of: "32:180:0:0").suffix(30).allSatisfy { $0 < 30 })
            #expect(try await brightness(padded, of: "32:180").suffix(30).allSatisfy { $0 > 200 })
            #expect(try await brightness(cropped, of: "32:180:0:0").suffix(30).allSatisfy { $0 > 200 })
        }
    }
}
