import Redaction

@testable import FFmpeg

/// Made once: it is no part of what is fuzzed, and takes longer than that.
private let complete = FFmpegCapabilities.complete(FFmpegVersion(output: "ffmpeg version 7.1 ")!)

extension FuzzTarget {
    /// What an FFmpeg prints: figures and messages, as bytes in any pieces. A line may be endless, and messages quote
    /// what a peer sent.
    static let ffmpegLog = FuzzTarget(
        name: "ffmpeg-log",
        words: [
            "frame=", "progress=continue", "progress=end", "out_time_us=", "bitrate=", "kbits/s", "speed=", "N/A", "\n",
            "\r", "[error] ", "[fatal] ", "[info] ",
            "Output #0,", "stream_0_0_q=", "No such device", "Permission denied", "Connection refused", "://", secret,
            "%2F", "@",
        ]
    ) { input in
        var source = FuzzInput(input)
        let choice = source.byte()
        let redactor = Redactor(secrets: [secret])
        var log = ChildLog<ContinuousClock.Instant>(now: .now)
        var splitter = LineSplitter(limit: 4096)
        let bytes = source.rest()
        let size = 1 + Int(choice >> 2)
        var lines: [String] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += splitter.consume(UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + size)]))
        }
        if let last = splitter.finish() { lines.append(last) }
        let now = ContinuousClock.now
        for line in lines {
            try demand(line.utf8.count <= 3 * 4096 + 3, "a line of \(line.utf8.count) bytes")
            for event in log.consume(line, redactor: redactor, now: now) {
                if case .log(let message) = event {
                    try demand(!message.text.contains(secret), "a message tells the secret: \(message.text)")
                }
            }
        }
        let excerpt = log.excerpt
        try demand(excerpt.lines.count <= 81, "\(excerpt.lines.count) lines are kept")
        try demand(!excerpt.says(secret), "the excerpt tells the secret")
        for role in FFmpegCommand.Role.allCases {
            for status in [ChildStatus.exited(0), .exited(1), .signalled(11)] {
                _ = FailureClassifier.cause(role: role, status: status, log: excerpt, isOutputOpen: choice & 1 == 1)
            }
        }
    }

    /// Addresses as an owner may write them: whatever they are, their secrets are in no argument.
    static let addresses = FuzzTarget(
        name: "addresses",
        words: [
            "rtmp://", "rtmps://", "srt://", "rtsp://", "http://", "udp://", "@", ":", "/", "?", "&", "%40",
            "passphrase=", "streamid=", "[::1]", "KEY", "'",
        ]
    ) { input in
        // Where the address says KEY, the secret stands; a fuzzer finds its letters out and puts them where no secret
        // belongs.
        let written = input.text.replacingAll(secret, with: "KEY")
        let address = written.replacingAll("KEY", with: secret)
        for target in [
            PublisherTarget.rtmp(url: written, key: secret),
            .srt(url: written, passphrase: secret, streamID: secret, latency: .milliseconds(200)),
        ] { try check(written) { try PublisherCommand(target: target).command(for: complete) } }
        try check(written) {
            try RelayCommand(source: .pull(url: written, passphrase: secret, streamID: secret)).command(for: complete)
        }
        try check(written) { try RelayCommand(source: .pull(url: written, password: secret)).command(for: complete) }
        try check(written) {
            try RelayCommand(source: .srtListen(address: written, passphrase: secret, latency: nil)).command(
                for: complete)
        }
        // What would not be shown of an address is in no argument either. A host or an application is no place for a
        // secret.
        guard !URLMask.mask(address).contains(secret) else { return }
        for key in [nil, "another-secret"] {
            try check(written) { try PublisherCommand(target: .rtmp(url: address, key: key)).command(for: complete) }
        }
        try check(written) {
            try PublisherCommand(target: .srt(url: address, passphrase: nil, streamID: nil, latency: nil)).command(
                for: complete)
        }
        try check(written) { try RelayCommand(source: .pull(url: address, passphrase: nil)).command(for: complete) }
        _ = URLMask.maskAll(in: written)
    }

    private static let secret = "h0Tter-Zupfg"

    private static func check(_ written: String, _ make: () throws -> FFmpegCommand) throws {
        let command: FFmpegCommand
        do {
            command = try make()
        } catch let error as CommandError {
            return try demand(!error.description.contains(secret), "the refusal tells the secret: \(error)")
        }
        for argument in command.arguments {
            try demand(!argument.contains(secret), "the argument \(argument) tells the secret")
        }
        let line = FFmpegCommand.shellLine(command.maskedArguments())
        try demand(!line.contains(secret), "the masked line tells the secret: \(line)")
        if let file = command.secretFile {
            let lines = file.contents.split(separator: "\n", omittingEmptySubsequences: false)
            // An address with a line break in it would add options of its own; those that it joins by & are its
            // parameters.
            try demand(
                lines.count <= 12 + written.utf8.count { $0 == UInt8(ascii: "&") },
                "the secret file has \(lines.count) lines")
        }
    }
}

extension String {
    func replacingAll(_ part: String, with other: String) -> String {
        var result = ""
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(part) {
                result += other
                rest = rest.dropFirst(part.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return result
    }
}
