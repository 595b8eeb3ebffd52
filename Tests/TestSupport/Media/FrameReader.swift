import Foundation

/// Decodes a stream and finds the frames and beeps of a `NumberedSource` in it.
package struct FrameReader: Sendable {
    package struct Frame: Sendable, Hashable {
        /// nil for a frame without a readable number, such as one of a slate.
        package let number: UInt32?
        /// In ticks of the container.
        package let pts: Int64
        /// In seconds on the stream's own timeline.
        package let time: Double
        package let isKey: Bool
        package let width: Int
        package let height: Int
    }

    package struct Reading: Sendable {
        package let frames: [Frame]
        /// When each beep begins, in seconds on the same timeline, to about a millisecond. A beep with less than 0.3 s
        /// of quiet before it is left out, because its beginning may have been cut.
        package let beeps: [Double]
        /// The warnings and errors of the decoder: none for an intact stream.
        package let complaints: [String]

        package var numbers: [UInt32] { frames.compactMap(\.number) }
    }

    /// The stream to read.
    package enum Input: Sendable {
        /// A file, or a URL that FFmpeg can open.
        case url(String)
        /// An MPEG-TS or FLV stream in memory.
        case bytes([UInt8])
    }

    /// Reads a stream once. A live stream can be read while it runs.
    ///
    /// - Parameters:
    ///   - options: Further options for the input, such as `["-f", "mpegts"]`.
    ///   - audio: Whether to look for beeps. A live stream without audio must be read with `false`.
    ///   - atMost: The length after which reading a live stream ends.
    /// - Throws: `Failed` if there is no frame at all.
    package static func read(
        _ input: Input, options: [String] = [], audio: Bool = true, atMost: Duration? = nil,
        within limit: Duration = .seconds(60)
    ) async throws -> Reading {
        try await withTemporaryFolder { folder in
            let words = arguments(input, options, atMost: atMost, audio: audio ? folder : nil)
            var feed = TestProcess.Input.none
            if case .bytes(let bytes) = input { feed = .bytes(bytes) }
            let done = try await TestProcess.run(Judge.ffmpeg, words, input: feed, within: limit)
            if audio && done.errors.contains("does not contain any stream") {
                return try await read(
                    input, options: options, audio: false, atMost: atMost, within: limit)
            }
            let frames = try frames(done)
            let beeps =
                audio
                ? beeps(String(decoding: try folder.read(audioTimes), as: UTF8.self), try folder.read(audioSamples))
                : []
            let complaints = done.errors.split(separator: "\n").map(String.init).filter {
                $0.contains("[warning]") || $0.contains("[error]") || $0.contains("[fatal]")
            }
            return Reading(frames: frames, beeps: beeps, complaints: complaints)
        }
    }

    private static func arguments(
        _ input: Input, _ options: [String], atMost: Duration?, audio: TemporaryFolder?
    ) -> [String] {
        var words = ["-hide_banner", "-nostats", "-loglevel", "level+info", "-threads", "1", "-y"]
        if case .url = input { words.append("-nostdin") }
        words += options + ["-copyts"]
        if let atMost { words += ["-t", "\(atMost.inSeconds)"] }
        switch input {
        case .url(let url): words += ["-i", url]
        case .bytes: words += ["-i", "pipe:0"]
        }
        words += ["-map", "0:v:0", "-vf", "showinfo=checksum=0,scale=8:10:flags=area,format=gray"]
        // A fine time base: in a time base of frames two close frames would have the same time, which FFmpeg reports.
        words += ["-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-f", "rawvideo", "pipe:1"]
        if let audio {
            let filter = [
                "-map", "0:a:0?", "-af", "aresample=out_sample_fmt=s16:out_chlayout=mono", "-c:a", "pcm_s16le",
            ]
            words += filter + ["-f", "s16le", audio.path(audioSamples)]
            // Not `ashowinfo`: since FFmpeg 7 video and audio are filtered by separate threads, which write into each
            // other's lines.
            words += filter + ["-f", "framecrc", audio.path(audioTimes)]
        }
        // All streams are used: FFmpeg shifts MPEG-TS by the start of the first used stream, in spite of -copyts.
        return words + ["-map", "0:v?", "-map", "0:a?", "-c", "copy", "-f", "null", "-"]
    }

    // MARK: FFmpeg's output

    private static func frames(_ decoded: TestProcess.Completed) throws -> [Frame] {
        var ticks = 0.0
        var frames: [Frame] = []
        let cells = decoded.output
        // The filter writes a line in pieces. Since FFmpeg 7 other threads write between them, and the rest of the line
        // has no prefix then.
        for line in decoded.errors.split(separator: "\n") where line.contains("pts:") || line.contains("config in") {
            if let base = line.firstMatch(of: /config in time_base: (\d+)\/(\d+)/) {
                ticks = (Double(base.1) ?? 0) / (Double(base.2) ?? 1)
            }
            guard
                let found = line.firstMatch(
                    of: /n: *(\d+) pts: *(-?\d+) .* s:(\d+)x(\d+) .*iskey:(\d)/),
                let pts = Int64(found.2), let width = Int(found.3), let height = Int(found.4)
            else { continue }
            let start = frames.count * 80
            // The last frames of a live stream may be logged and not written when it was cut short.
            guard start + 80 <= cells.count else { break }
            frames.append(
                Frame(
                    number: number(in: cells[start..<start + 80]), pts: pts,
                    time: Double(pts) * ticks, isKey: found.5 == "1", width: width, height: height))
        }
        if frames.isEmpty && decoded.ending != .exited(0) {
            throw Failed("no frame could be read: \(decoded.errors.suffix(1000))")
        }
        return frames
    }

    /// Reads the number in the upper 8 × 5 of 8 × 10 grey cells.
    ///
    /// - Returns: nil unless every cell is clear and every column is odd.
    private static func number(in cells: ArraySlice<UInt8>) -> UInt32? {
        var number: UInt32 = 0
        var odd: UInt8 = 0
        for (index, grey) in cells.prefix(40).enumerated() {
            guard grey < 80 || grey > 176 else { return nil }
            guard grey > 176 else { continue }
            odd ^= 1 << (index % 8)
            if index < 32 { number |= 1 << UInt32(index) }
        }
        // A white card is odd in every column as well.
        return odd == 0xFF && number != .max ? number : nil
    }

    private static let audioSamples = "samples", audioTimes = "times"

    /// - Parameter times: A `framecrc` of the samples: `#tb 0: 1/48000`, then `0, DTS, PTS, DURATION, SIZE, 0x…` for
    ///   each frame.
    private static func beeps(_ times: String, _ samples: [UInt8]) -> [Double] {
        var beeps: [Double] = []
        var offset = 0
        var rate = 0.0
        // The last time at which the audio was loud, or its beginning.
        var lastLoud = Double.infinity
        for line in times.split(separator: "\n") {
            if let base = line.firstMatch(of: /#tb 0: 1\/(\d+)/) { rate = Double(base.1) ?? 0 }
            let fields = line.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            guard fields.count >= 6, let pts = Double(fields[2]), let size = Int(fields[4]) else { continue }
            let count = size / 2
            lastLoud = min(lastLoud, pts / rate)
            for index in 0..<count {
                guard offset + 1 < samples.count else { return beeps }
                let value = Int16(
                    bitPattern: UInt16(samples[offset]) | UInt16(samples[offset + 1]) << 8)
                offset += 2
                // A quarter of full scale: half of the beep, and far above the pre-echo of a codec.
                guard value.magnitude > 8192 else { continue }
                let time = (pts + Double(index)) / rate
                // Leaves out a beep whose beginning was cut, or with no quiet before it.
                if time - lastLoud > 0.3 { beeps.append(time) }
                lastLoud = time
            }
        }
        return beeps
    }
}
