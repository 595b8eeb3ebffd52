import Foundation
import LabKit
import TestSupport
import Testing

/// Captions (CTA-708 in SEI messages, according to ATSC A/53 part 4) stay with their frames in every encoder that
/// supports them.
@Suite(.tags(.ffmpeg)) struct CaptionTests: OnHardware {
    /// SEI messages with captions, one for each frame. The two bytes of a caption are the number of its frame.
    private enum Captions {
        /// The head of a message: user data of ITU-T T.35, registered by ATSC, of the type `cc_data()`.
        static let head: [UInt8] = [0xB5, 0x00, 0x31] + Array("GA94".utf8) + [0x03]

        /// Inserts a message before each frame of an Annex B stream with one slice per frame.
        static func add(to stream: [UInt8]) -> [UInt8] {
            var result: [UInt8] = []
            var number = 0
            for index in stream.indices {
                let isSlice =
                    stream[index...].starts(with: [0, 0, 1]) && index + 3 < stream.endIndex
                    && [1, 5].contains(stream[index + 3] & 0x1F)
                if isSlice {
                    let text: [UInt8] = [0xFC, 0x80 | UInt8(number >> 7 & 0x7F), 0x80 | UInt8(number & 0x7F)]
                    let message = head + [0x41, 0xFF] + text + [0xFF]
                    result += [0, 0, 1, 6, 4, UInt8(message.count)] + message + [0x80]
                    number += 1
                }
                result.append(stream[index])
            }
            return result
        }

        /// Reads the numbers in the SEI messages of an Annex B stream, in the order of the stream.
        static func numbers(in stream: [UInt8], isHEVC: Bool) -> [Int] {
            var result: [Int] = []
            var isMessage = false
            for index in stream.indices {
                if index + 3 < stream.endIndex, stream[index] == 0, stream[index + 1] == 0, stream[index + 2] == 1 {
                    // The NAL unit type of SEI is 6 in H.264, and 39 in HEVC before the frame.
                    isMessage = isHEVC ? stream[index + 3] >> 1 & 0x3F == 39 : stream[index + 3] & 0x1F == 6
                }
                guard isMessage, stream[index] == head[0], stream[index...].starts(with: head) else { continue }
                let text = stream[index...].dropFirst(head.count + 2).prefix(3)
                if text.count == 3, text.first == 0xFC {
                    result.append(Int(text[text.startIndex + 1] & 0x7F) << 7 | Int(text[text.startIndex + 2] & 0x7F))
                }
            }
            return result
        }
    }

    private func annexB(_ input: String, isHEVC: Bool = false) async throws -> [UInt8] {
        let format = isHEVC ? "hevc" : "h264"
        let copy = ["-map", "0:v", "-c", "copy", "-bsf:v", "\(format)_mp4toannexb", "-f", format, "pipe:1"]
        return try await TestProcess.run("ffmpeg", ["-v", "error", "-i", input] + copy)
            .success("an elementary stream").output
    }

    /// Writes a stream of numbered frames, each with captions.
    ///
    /// - Returns: The path of the file.
    private func captioned(_ stage: Stage) async throws -> String {
        let plain = try await stage.file("plain.ts") { ($0.duration, $0.audio) = (.seconds(60), .none) }
        let bare = stage.folder.path("captioned.h264")
        let captioned = stage.folder.path("captioned.ts")
        let stream = try await Captions.add(to: annexB(plain))
        try Data(stream).write(to: URL(fileURLWithPath: bare))
        _ = try await TestProcess.run("ffmpeg", ["-v", "error", "-r", "30", "-i", bare, "-c", "copy", captioned])
            .success("a stream with captions")
        return captioned
    }

    private func publish(_ path: String, to port: Int, on stage: Stage) async throws -> TestProcess {
        let output = ["-c", "copy", "-f", "flv", "rtmp://127.0.0.1:\(port)/live/x"]
        return try await stage.program("ffmpeg", ["-v", "error", "-nostdin", "-re", "-i", path] + output)
    }

    private func supports(_ option: String, _ encoder: String) async throws -> Bool {
        let help = try await TestProcess.run("ffmpeg", ["-v", "error", "-h", "encoder=\(encoder)"])
        return try help.success("an encoder's options").text.contains(option)
    }

    private func expectAll(_ numbers: [Int]) {
        #expect(numbers.count >= 60 && zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 }, "\(numbers)")
    }

    @Test("libx265 keeps the captions of each frame where FFmpeg has the option")
    func hevc() async throws {
        // FFmpeg 7 and later have the option.
        let isSupported = try await supports("a53cc", "libx265")
        try await withStage { stage in
            let captioned = try await captioned(stage)
            let folder = stage.folder.path("rec")
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    slate: { after: 60s }
                    groups:
                      - name: hd
                        video: { codec: hevc, bitrate: 400k, keyframe: 1s }
                        targets: [ { name: rec, record: { folder: \(folder) } } ]
                """)
            let publisher = try await publish(captioned, to: port, on: stage)
            try await daemon.logged("on air", "source=rtmp-0")
            // The first frames may be those of the slate.
            let recording = try await eventually("75 numbers", within: .seconds(60), every: .milliseconds(300)) {
                () -> String? in
                guard let name = try? FileManager.default.contentsOfDirectory(atPath: folder).first else { return nil }
                let path = "\(folder)/\(name)"
                guard let reading = try? await FrameReader.read(.url(path), audio: false) else { return nil }
                return reading.numbers.count >= 75 ? path : nil
            }
            #expect(daemon.children("libx265").allSatisfy { $0.command.contains("a53cc") == isSupported })
            await stage.end(publisher)
            try await daemon.terminate()
            let numbers = try await Captions.numbers(in: annexB(recording, isHEVC: true), isHEVC: true)
            if isSupported { expectAll(numbers) } else { #expect(numbers.isEmpty) }
        }
    }

    @Test("a target gets the captions of each frame from software and capable GPUs", arguments: [false, true])
    func captions(onGPU: Bool) async throws {
        // FFmpeg 7.1 and later have the option for VA-API.
        let isSupported = try await supports("a53_cc", "h264_vaapi")
        try await withLab { stage, lab in
            if onGPU {
                try await lab.plug(.intel)
                try lab.limit("messages", 1)
            }
            let captioned = try await captioned(stage)
            let sink = try await stage.nginx(record: true)
            let port = try FreePort.tcp()
            let daemon = try await stage.streambox(
                """
                  - name: main
                    sources: [ { rtmp: { listen: "127.0.0.1:\(port)", app: live } } ]
                    slate: { after: 60s }
                    groups: [ \(group("hd", sink.url("hd"))) ]
                """, environment: lab.environment)
            if onGPU { try await daemon.logged("passed its trial", Self.onIntel) }
            let publisher = try await publish(captioned, to: port, on: stage)
            let use = onGPU ? Self.onIntel : "libx264"
            try await stage.expect("the source on air by \(use)", of: daemon) {
                $0.groups[0].use == use && $0.groups[0].state == "live" && $0.source("rtmp-0")?.isOnAir == true
            }
            // The encoder may still hold frames of the slate.
            try await sink.waitForNumbers(75, of: "hd")
            await stage.end(publisher)
            try await daemon.terminate()
            let numbers = try await Captions.numbers(in: annexB(sink.recording(of: "hd")), isHEVC: false)
            if !onGPU || isSupported { expectAll(numbers) } else { #expect(numbers.isEmpty) }
        }
    }
}
