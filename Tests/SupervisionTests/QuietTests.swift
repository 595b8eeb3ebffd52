import EncoderSelection
import FFmpeg
import Foundation
import MediaTypes
import Synchronization
import SystemPackage
import TestSupport
import Testing

import struct BoxConfiguration.VideoEncoding

@testable import Supervision

/// The messages of the installed FFmpeg in a healthy run of each role: only those listed here.
///
/// The service drops the messages of slates, trials and the self-check, so each command line is run here unchanged.
@Suite(.serialized, .tags(.ffmpeg)) struct QuietTests {
    /// A warning that is allowed.
    private struct Exception {
        /// How it begins, without the names of its parts.
        var words: String
        /// The first release that prints it. `nil` for all releases.
        var since: FFmpegVersion.Release?
        /// Why it is not avoided.
        var reason: String

        func excuses(_ line: LogLine, by version: FFmpegVersion) -> Bool {
            if let since, let release = version.equivalent, release < since { return false }
            return LogLine.withoutPrefixes(line.text).hasPrefix(words)
        }
    }

    private static let fullRange = Exception(
        words: "deprecated pixel format used, make sure you did set range correctly", since: nil,
        reason: "JPEG has the full range of values, and FFmpeg converts it as it should be")
    private static let oneChannel = Exception(
        words: "Guessed Channel Layout", since: nil,
        reason: "PCM says how many channels it has, and not which; one is mono")
    private static let noSound = Exception(
        words: "Codec AVOption b:a (", since: FFmpegVersion.Release(major: 7, minor: 0),
        reason: "the source has no audio, and the option is there in case that it has")

    private static let audioAlone = Exception(
        words: "frame size not set", since: nil,
        reason: "MPEG-TS with audio alone has its clock reference there, how often is a guess, and nothing goes by it")

    private static let size = FrameSize(width: 320, height: 180)
    private static let rate = FrameRate(30)
    /// The input of a program that generates a moving picture.
    private static let picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"]
    private static let recipes: [any EncoderRecipe] = [Libx264Recipe(), Libx265Recipe()]

    /// Lines without information.
    private final class Warnings: Sendable {
        private let lines = Mutex<[LogLine]>([])
        var all: [LogLine] { lines.withLock { $0 } }

        func note(_ event: ChildEvent) {
            switch event {
            case .log(let line):
                switch line.level {
                case .info, .verbose, .debug, .trace: break
                // Messages of libraries have no level.
                case .panic, .fatal, .error, .warning, nil: lines.withLock { $0.append(line) }
                }
            case .logSuppressed(let count):
                lines.withLock { $0.append(LogLine(level: nil, text: "\(count) lines were left out")) }
            case .started, .outputOpened, .progress: break
            }
        }
    }

    /// Files and programs of a test.
    private struct Rig {
        let ffmpeg: FFmpegBinary
        let folder: TemporaryFolder
        private let environment = ProcessInfo.processInfo.environment

        init(_ folder: TemporaryFolder) async throws {
            self.folder = folder
            ffmpeg = try await FFmpegBinary.locate(nil, environment: environment, limit: Limit.seconds(60)).binary
        }

        /// Expects that a command line does its work, and prints only allowed messages.
        func run(
            _ command: FFmpegCommand, from input: String? = nil, to output: String? = nil,
            letting exceptions: [Exception] = []
        ) async throws {
            let warnings = Warnings()
            let exit = await ChildProcess.run(
                command, binary: ffmpeg,
                stdin: try input.map { try FileDescriptor.open($0, .readOnly, options: .closeOnExec) },
                stdout: try output.map {
                    let options: FileDescriptor.OpenOptions = [.create, .truncate, .closeOnExec]
                    return try FileDescriptor.open($0, .writeOnly, options: options, permissions: .ownerReadWrite)
                },
                environment: environment, onEvent: { warnings.note($0) })
            #expect(exit.status == .exited(0), "\(command.maskedArguments()): \(exit.log.lines)")
            for line in warnings.all {
                let isExcused = exceptions.contains { $0.excuses(line, by: ffmpeg.version) }
                #expect(isExcused, "\(ffmpeg.version), \(command.maskedArguments()): \(line.text)")
                // The service does not pass it on either.
                if isExcused { #expect(FFmpegNoise.contains(line), "\(line.text)") }
            }
        }

        func relay(_ source: RelaySource, encodes: Bool = false) throws -> FFmpegCommand {
            let video: RelayVideo = encodes ? .mezzanine(bitrate: 600_000, keyframeInterval: .milliseconds(500)) : .copy
            let relay = RelayCommand(source: source, video: video, audio: encodes ? .aac(bitrate: 128_000) : .copy)
            return try relay.command(for: ffmpeg.capabilities)
        }

        /// A second of the test picture as a relay delivers it, produced without a message.
        func feed() async throws -> String {
            let path = folder.path("feed.ts")
            let test = RelaySource.test(size: QuietTests.size, rate: QuietTests.rate)
            try await run(relay(test).limited(toSeconds: "1"), to: path)
            return path
        }

        /// The output of another program.
        func make(_ name: String, _ arguments: [String]) async throws -> String {
            let path = folder.path(name)
            _ = try await TestProcess.run("ffmpeg", ["-v", "error", "-nostdin"] + arguments + [path]).success(name)
            return path
        }

        func file(_ name: String, _ bytes: [UInt8]) throws -> String {
            try Data(bytes).write(to: URL(fileURLWithPath: folder.path(name)))
            return folder.path(name)
        }
    }

    private func withRig(_ body: (Rig) async throws -> Void) async throws {
        try await withTemporaryFolder { try await body(Rig($0)) }
    }

    @Test("a slate is drawn without a warning, whatever its contents", arguments: [VideoCodec.h264, .hevc])
    func slate(codec: VideoCodec) async throws {
        try await withRig { rig in
            let png = try rig.file("a.png", ReadyMadeMedia.image)
            let jpeg = try await rig.make("a.jpg", Self.picture + ["-frames:v", "1", "-pix_fmt", "yuvj420p"])
            var text = SlateCommand.Picture.plain
            text.textFile = try rig.file("a.txt", Array("hello".utf8))
            text.font = Fonts.any
            let pictures: [(SlateCommand.Picture, [Exception])] = [
                (.plain, []), (text, []), (SlateCommand.Picture(image: png), []),
                (SlateCommand.Picture(image: jpeg), [Self.fullRange]),
            ]
            for (picture, exceptions) in pictures {
                let command = SlateCommand(
                    picture: picture, codec: codec, size: Self.size, rate: Self.rate,
                    profile: codec == .h264 ? "high" : nil, frames: 30, output: rig.folder.path("slate.ts"))
                try await rig.run(command.command(), letting: exceptions)
            }
        }
    }

    @Test("a trial of each software encoder prints nothing")
    func trial() async throws {
        try await withRig { rig in
            for (recipe, codec) in zip(Self.recipes, [VideoCodec.h264, .hevc]) {
                let encoding = VideoEncoding(codec: codec, size: FrameSize(width: 160, height: 90))
                let command = TrialCommand(
                    recipe: recipe, job: EncodingJob(encoding, arriving: Self.size, rate: Self.rate))
                try await rig.run(command.command(for: rig.ffmpeg.capabilities))
            }
        }
    }

    @Test("relays of every kind of source print nothing, whether they copy or encode")
    func relay() async throws {
        try await withRig { rig in
            let feed = try await rig.feed()
            let flv = try rig.file("a.flv", ReadyMadeMedia.flv)
            try await rig.run(rig.relay(.transportStream), from: feed)
            try await rig.run(rig.relay(.file(path: flv, loop: false)))
            try await rig.run(rig.relay(.file(path: flv, loop: false), encodes: true))
            let silent = try await rig.make("silent.mkv", Self.picture + ["-t", "1", "-c:v", "mpeg4"])
            try await rig.run(rig.relay(.file(path: silent, loop: false), encodes: true), letting: [Self.noSound])
            let sound = ["-f", "lavfi", "-i", "sine=r=44100", "-t", "1", "-c:v", "mpeg4", "-c:a", "pcm_s16le"]
            let mono = try await rig.make("mono.mkv", Self.picture + sound)
            try await rig.run(rig.relay(.file(path: mono, loop: false), encodes: true), letting: [Self.oneChannel])
        }
    }

    @Test("an audio converter prints nothing")
    func sound() async throws {
        try await withRig { rig in
            let input = try rig.file("a.flv", ReadyMadeMedia.audio)
            try await rig.run(
                FFmpegCommands.audioConverter(), from: input, to: rig.folder.path("a.ts"), letting: [Self.audioAlone])
        }
    }

    @Test("an encoder of a group, from a feed or raw frames, prints nothing")
    func encoder() async throws {
        try await withRig { rig in
            let feed = try await rig.feed()
            let frames = try rig.file("a.ivf", ReadyMadeMedia.frames(width: Self.size.width, height: Self.size.height))
            let settings = VideoSettings(
                size: FrameSize(width: 160, height: 120), frameRate: FrameRate(25), bitrate: 200_000,
                keyframeInterval: .milliseconds(500), fit: .pad, deinterlacing: .onePerFrame)
            for recipe in Self.recipes {
                let group = EncoderCommand(
                    video: .encode(settings, with: recipe), audio: .aac(bitrate: 96_000, rate: 48_000, channels: 2),
                    inputRate: Self.rate, inputSize: Self.size)
                try await rig.run(group.command(for: rig.ffmpeg.capabilities), from: feed)
                let own = VideoSettings(bitrate: 200_000, keyframeInterval: .milliseconds(500))
                let card = FrameEncoderCommand(settings: own, recipe: recipe, rate: Self.rate)
                try await rig.run(card.command(for: rig.ffmpeg.capabilities), from: frames)
            }
        }
    }

    @Test("a recording prints nothing")
    func recording() async throws {
        try await withRig { rig in
            let target = PublisherTarget.record(folder: rig.folder.path, name: "a", segment: .seconds(60), take: 0)
            try await rig.run(PublisherCommand(target: target).command(for: rig.ffmpeg.capabilities), from: rig.feed())
        }
    }
}
