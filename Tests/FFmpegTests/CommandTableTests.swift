import EncoderSelection
import MediaTypes
import Testing

import struct BoxConfiguration.VideoEncoding

@testable import FFmpeg

/// The parts of each role's command line that depend on the version of FFmpeg, word by word.
@Suite struct CommandTableTests {
    enum Role: String, CaseIterable {
        case testRelay, fileRelay, pullRelay, srtListener, mezzanine, cardReader
        case frames, libx264, libx265, vaapi, nvenc
        case trial, trialOnGPU, slate, sound
        case rtmpTarget, srtTarget, recording
    }

    enum Version: String, CaseIterable {
        case bookworm = "5.1.9-0+deb12u1"
        case trixie = "7.1.5-0+deb13u1"
        case forky = "9.0.2-4"
    }

    // MARK: Expected

    private static let times = ["-fps_mode", "passthrough", "-enc_time_base", "1:90000"]
    private static let network = ["-analyzeduration", "1000000", "-fpsprobesize", "0"]
    private static let burst = ["-readrate_initial_burst", "0.001"]
    /// Makes FFmpeg 9 pass on the options of a preset file.
    private static let carrier = "target=ntsc-dv\ntime_base=1:90000\n"

    private func expected(_ role: Role, _ version: Version) -> [String] {
        let isOld = version == .bookworm
        let isNew = version == .forky
        let sized = ["-reinit_filter:v", "0"]
        let glance = ["-probesize", "100000", "-analyzeduration", "1"]
        let look = ["-probesize", "5000000", "-analyzeduration", "500000", "-fpsprobesize", "1"]
        let whole = ["-probesize", "5000000", "-analyzeduration", isOld ? "100000" : "500000", "-fpsprobesize", "0"]
        let burst = isOld ? [] : Self.burst
        let stated = ["-r", "30"]
        let carried = isNew ? Self.carrier : ""
        return switch role {
        case .testRelay: burst + Self.times
        case .fileRelay: burst + ["-fpsprobesize", "0"]
        case .pullRelay: isNew ? Self.network + ["-tls_verify", "0"] : Self.network
        case .srtListener: ["srt://[::]:9000?mode=listener&transtype=live" + (isNew ? "&ipv6only=0" : "")]
        case .mezzanine: Self.network + Self.times
        case .cardReader: ["-fps_mode", "passthrough", "-enc_time_base", "1:1000000"]
        case .frames: ["-probesize", "32", "-analyzeduration", "1", "-fpsprobesize", "0"] + Self.times
        case .libx264: sized + glance + Self.times
        case .libx265: isOld ? sized + glance + Self.times : sized + glance + Self.times + ["-a53cc", "1"]
        case .vaapi, .nvenc: isOld ? sized + glance + Self.times + stated : sized + look + Self.times
        case .trial: Self.times
        case .trialOnGPU: isOld ? Self.times + stated : Self.times
        case .slate: []
        case .sound: ["-probesize", "32", "-analyzeduration", "1"]
        case .rtmpTarget: (isNew ? whole + stated : whole) + ["rtmp_playpath=K3y\n" + carried]
        case .srtTarget: ["passphrase=0123456789\n" + carried]
        case .recording: whole
        }
    }

    // MARK: Built

    private func command(_ role: Role, for ffmpeg: FFmpegCapabilities) throws -> FFmpegCommand {
        let size = FrameSize(width: 64, height: 36)
        let rate = FrameRate(30)
        let settings = VideoSettings(size: size, bitrate: 1_000_000)
        let gpu = VAAPIRecipe(codec: .h264, node: "/dev/dri/renderD128")
        func relay(_ source: RelaySource, _ video: RelayVideo = .copy) throws -> FFmpegCommand {
            try RelayCommand(source: source, video: video).command(for: ffmpeg)
        }
        func encoder(_ recipe: any EncoderRecipe) -> FFmpegCommand {
            EncoderCommand(video: .encode(settings, with: recipe), audio: .copy, inputRate: rate).command(for: ffmpeg)
        }
        func trial(_ recipe: any EncoderRecipe) -> FFmpegCommand {
            let job = EncodingJob(VideoEncoding(size: FrameSize(width: 64, height: 36)), arriving: size, rate: rate)
            return TrialCommand(recipe: recipe, job: job).command(for: ffmpeg)
        }
        func publisher(_ target: PublisherTarget) throws -> FFmpegCommand {
            try PublisherCommand(target: target, rate: rate).command(for: ffmpeg)
        }
        return switch role {
        case .testRelay: try relay(.test(size: size, rate: rate))
        case .fileRelay: try relay(.file(path: "/a.ts", loop: true))
        case .pullRelay: try relay(.pull(url: "rtsps://h/x", tls: .none))
        case .srtListener: try relay(.srtListen(address: "[::]:9000", passphrase: nil, latency: nil))
        case .mezzanine: try relay(.transportStream, .mezzanine(bitrate: 1, keyframeInterval: .seconds(1)))
        case .cardReader:
            CardReaderCommand(card: CaptureInput(node: "/dev/video0", audio: "hw:1"), size: size).command(for: ffmpeg)
        case .frames: FrameEncoderCommand(settings: settings, recipe: Libx264Recipe(), rate: rate).command(for: ffmpeg)
        case .libx264: encoder(Libx264Recipe())
        case .libx265: encoder(Libx265Recipe())
        case .vaapi: encoder(gpu)
        case .nvenc: encoder(NVENCRecipe(codec: .h264))
        case .trial: trial(Libx264Recipe())
        case .trialOnGPU: trial(gpu)
        case .slate:
            SlateCommand(picture: .plain, codec: .h264, size: size, rate: rate, frames: 30, output: "/s.ts").command()
        case .sound: AudioConverterCommand().command()
        case .rtmpTarget: try publisher(.rtmp(url: "rtmp://h/app", key: "K3y"))
        case .srtTarget: try publisher(.srt(url: "srt://h:9", passphrase: "0123456789", streamID: nil, latency: nil))
        case .recording: try publisher(.record(folder: "/rec", name: "a", segment: .seconds(60), take: 0))
        }
    }

    /// Options that some version refuses, or accepts only with another value.
    private static let options: Set = [
        "-fps_mode", "-vsync", "-enc_time_base", "-r", "-probesize", "-analyzeduration", "-fpsprobesize",
        "-readrate_initial_burst", "-reinit_filter:v", "-a53cc", "-tls_verify",
    ]

    /// The words that depend on the version, and those that do not.
    private func parts(of command: FFmpegCommand) -> (dependent: [String], common: [String]) {
        var dependent: [String] = []
        var common: [String] = []
        var isValue = false
        for word in command.arguments {
            let isOption = !isValue && Self.options.contains(word)
            let isDependent = isOption || isValue || word.hasPrefix("srt://[::]")
            if isDependent { dependent.append(word) } else { common.append(word) }
            isValue = isOption
        }
        if let file = command.secretFile { dependent.append(file.contents) }
        return (dependent, common)
    }

    @Test("each role depends on the version in exactly these words", arguments: Role.allCases, Version.allCases)
    func table(role: Role, version: Version) throws {
        let command = try command(role, for: .release(version.rawValue))
        #expect(parts(of: command).dependent == expected(role, version), "\(command.maskedLine())")
    }

    @Test("all other words are the same for every version", arguments: Role.allCases)
    func common(role: Role) throws {
        let lines = try Version.allCases.map { try parts(of: command(role, for: .release($0.rawValue))).common }
        #expect(lines.allSatisfy { $0 == lines[0] }, "\(lines)")
        #expect(!lines[0].isEmpty)
    }
}
