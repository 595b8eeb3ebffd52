import Foundation
import TestSupport
import Testing

/// The audio format of a channel with a group that copies the audio: a target gets one format in a stream.
@Suite(.serialized, .tags(.ffmpeg)) struct AudioFormatTests {
    private func box(_ stage: Stage, _ sink: NginxRTMP, sources: String, group: String = "video: copy") -> String {
        """
          - name: main
            sources: [ \(sources) ]
            slate: { after: 400ms }
            groups:
              - name: raw
                \(group)
                audio: copy
                targets:
                  - { name: far, url: "\(sink.url("raw"))" }
                  - { name: archive, record: { folder: \(stage.folder.path("rec")), segment: 1h } }
        """
    }

    /// Reads sample rate and channels from the headers of all audio frames in a file.
    private func formats(_ file: String) async throws -> Set<[Int]> {
        let copy = ["-v", "error", "-nostdin", "-i", file, "-map", "0:a", "-c", "copy", "-f", "adts", "pipe:1"]
        let bytes = try await TestProcess.run(Judge.ffmpeg, copy).success("the audio of \(file)").output
        let rates = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000]
        var formats: Set<[Int]> = []
        var position = 0
        while position + 7 <= bytes.count {
            let header = bytes[position..<position + 7].map { Int($0) }
            let (rate, length) = (header[2] >> 2 & 15, (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5)
            guard header[0] == 0xFF, header[1] & 0xF6 == 0xF0, rate < rates.count, length >= 7 else {
                throw Failed("\(file) has no ADTS at \(position)")
            }
            formats.insert([rates[rate], (header[2] & 1) << 2 | header[3] >> 6])
            position += length
        }
        return formats
    }

    /// The recordings of the target `archive`, oldest first.
    private func archive(_ stage: Stage) -> [String] {
        stage.folder.names(in: "rec").sorted().map { stage.folder.path("rec/\($0)") }
    }

    /// Expects one stream for the slate at the start and one for everything after it, each with one format.
    private func expectTwo(_ stage: Stage, _ sink: NginxRTMP) async throws {
        let recordings = sink.recordings(of: "raw")
        #expect(try sink.publishes(of: "raw").filter(\.isAccepted).count == 2 && recordings.count == 2)
        for (path, rate) in zip(recordings, [48_000, 44_100]) {
            let probe = try await MediaProbe.read(.url(path))
            #expect(probe.audio?.sampleRate == rate && probe.audio?.channels == 2 && probe.backwards.isEmpty)
            let reading = try await FrameReader.read(.url(path))
            #expect(reading.complaints.isEmpty, "\(path): \(reading.complaints)")
        }
        let files = archive(stage)
        #expect(files.count == 2)
        for (path, rate) in zip(files, [48_000, 44_100]) { #expect(try await formats(path) == [[rate, 2]], "\(path)") }
    }

    @Test(
        "sources of 44.1 and 48 kHz share one audio format in a stream",
        arguments: ["video: copy", "video: { encoder: libx264, size: 320x180, bitrate: 400k }"])
    func twoRates(group: String) async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let (rtmp, srt) = (try FreePort.tcp(), try FreePort.udp())
            let listener = "{ srt: { listen: \"127.0.0.1:\(srt)\" } }"
            let sources = "{ rtmp: { listen: \"127.0.0.1:\(rtmp)\", app: live } }, \(listener)"
            let daemon = try await stage.streambox(box(stage, sink, sources: sources, group: group))
            try await daemon.logged("on air", "source=slate")
            try await sink.waitForFrames(60, of: "raw")
            try await eventually("the sources to listen") {
                FreePort.isListening(tcp: rtmp) && FreePort.isBound(udp: srt)
            }
            let url = "rtmp://127.0.0.1:\(rtmp)/live/x"
            let first = try await stage.publish(.small { $0.audioRate = 44_100 }, to: url)
            try await daemon.logged("on air", "source=rtmp-0")
            try await sink.waitForNumbers(60, of: "raw")
            // The source is in reserve, and the conversion is reported before it goes on air.
            var position = daemon.position
            let second = try await stage.srtCaller(.small { $0.firstNumber = 9000 }, port: srt)
            try await daemon.logged("it is converted from now on", "source=srt-1", from: position)
            let words = "its audio is AAC-LC at 48 kHz stereo, the channel's is 44.1 kHz stereo: it is converted"
            try await stage.expect("the note", of: daemon) { $0.source("srt-1")?.notes?.contains(words) == true }
            position = daemon.position
            first.send(SIGKILL)
            try await daemon.logged("on air", "source=srt-1", from: position)
            try await sink.waitForMoreFrames(90, of: "raw")
            // The slate may have been on air for most of that time.
            try await eventually("three beeps and their frames", within: .seconds(60), every: .milliseconds(300)) {
                let recordings = sink.recordings(of: "raw")
                guard recordings.count == 2, let reading = try? await FrameReader.read(.url(recordings[1])) else {
                    return false
                }
                return Verdict(reading).audioOffsets.count >= 3
            }
            position = daemon.position
            await stage.end(second.program)
            await stage.end(first)
            try await daemon.logged("on air", "source=slate", from: position)
            try await sink.waitForMoreFrames(30, of: "raw")
            #expect(daemon.lines("it is converted from now on").count == 1)
            try await daemon.terminate()
            try await expectTwo(stage, sink)
            let reading = try await FrameReader.read(.url(sink.recordings(of: "raw")[1]))
            let verdict = Verdict(reading)
            #expect(reading.numbers.contains { $0 < 9000 } && reading.numbers.contains { $0 >= 9000 }, "\(verdict)")
            // Audio at the wrong speed would be out of sync with its video.
            #expect(verdict.audioOffsets.count >= 3 && verdict.worstAudioOffset ?? 1 < 0.06, "\(verdict.audioOffsets)")
        }
    }

    @Test("mono audio is converted to the silence's format, and the stream continues")
    func mono() async throws {
        try await withStage { stage in
            let sink = try await stage.nginx(record: true)
            let srt = try FreePort.udp()
            let sources = "{ srt: { listen: \"127.0.0.1:\(srt)\" } }"
            let daemon = try await stage.streambox(box(stage, sink, sources: sources))
            try await daemon.logged("on air", "source=slate")
            try await sink.waitForFrames(30, of: "raw")
            try await eventually("the source to listen") { FreePort.isBound(udp: srt) }
            let caller = try await stage.srtCaller(.small { ($0.audioRate, $0.isMono) = (44_100, true) }, port: srt)
            try await daemon.logged("it is converted from now on", "source=srt-0")
            let words = "its audio is AAC-LC at 44.1 kHz mono, the channel's is 48 kHz stereo: it is converted"
            try await stage.expect("the note", of: daemon) { $0.source("srt-0")?.notes?.contains(words) == true }
            try await sink.waitForMoreFrames(120, of: "raw")
            // The slate may have been on air for most of that time.
            try await sink.waitForBeeps(2, of: "raw")
            #expect(caller.program.isRunning && daemon.lines("rejected:", "source=srt-0").isEmpty)
            await stage.end(caller.program)
            try await daemon.terminate()
            let reading = try await sink.reading(of: "raw")
            #expect(reading.complaints.isEmpty && reading.beeps.count >= 2, "\(reading.complaints) \(reading.beeps)")
            for path in archive(stage) { #expect(try await formats(path) == [[48_000, 2]], "\(path)") }
        }
    }
}
