import Redaction

@testable import FFmpeg

/// Created once: it is not fuzzed, and takes longer than a fuzzed call.
private let complete = FFmpegCapabilities.complete(FFmpegVersion(output: "ffmpeg version 7.1 ")!)

extension FuzzTarget {
    /// The output of an FFmpeg: progress and messages, as bytes in any pieces. A line may be endless, and messages
    /// quote bytes of a peer.
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
                    try demand(!message.text.contains(secret), "a message contains the secret: \(message.text)")
                }
            }
        }
        let excerpt = log.excerpt
        try demand(excerpt.lines.count <= 81, "\(excerpt.lines.count) lines are kept")
        try demand(!excerpt.says(secret), "the excerpt contains the secret")
        for role in FFmpegCommand.Role.allCases {
            for status in [ChildStatus.exited(0), .exited(1), .signalled(11)] {
                _ = FailureClassifier.cause(role: role, status: status, log: excerpt, isOutputOpen: choice & 1 == 1)
            }
        }
    }

    /// Addresses in a configuration: whatever they are, no argument contains their secrets.
    static let addresses = FuzzTarget(
        name: "addresses",
        words: [
            "rtmp://", "rtmps://", "srt://", "rtsp://", "http://", "udp://", "@", ":", "/", "?", "&", "%40",
            "passphrase=", "streamid=", "[::1]", "KEY", "'",
        ]
    ) { input in
        // The secret replaces KEY in the address. A fuzzer would learn its letters, and put them where no secret
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
        // No argument contains the masked parts of an address. A host or an application is not masked.
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
            return try demand(!error.description.contains(secret), "the error contains the secret: \(error)")
        }
        for argument in command.arguments {
            try demand(!argument.contains(secret), "the argument \(argument) contains the secret")
        }
        let line = FFmpegCommand.shellLine(command.maskedArguments())
        try demand(!line.contains(secret), "the masked line contains the secret: \(line)")
        if let file = command.secretFile {
            let lines = file.contents.split(separator: "\n", omittingEmptySubsequences: false)
            // An address with a line break could add options of its own. Options that it joins with & are its
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
